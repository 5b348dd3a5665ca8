import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainEnd } from './block.ts';
import { NO_BLOCK, textHash } from './block.ts';
import { corruptFault } from './storage-fault.ts';

/** The number and hash of a block that was once durable. */
export type Head = Pick<ChainEnd, 'number' | 'hash'>;

/**
 * A witness beside the database, of the last block that was committed. SQLite takes a log that was cut off for the end of the log; this file
 * still knows that there was more. It is written after the commit and not synced: after a loss of power it may be behind, never ahead.
 */
export class HeadFile implements Disposable {
  readonly #file: number;

  /** Opens the file, or makes it for a ledger without blocks. A witness that is missing or unreadable has been tampered with. */
  constructor(directory: string, last: ChainEnd) {
    const path = join(directory, 'head');
    if (existsSync(path)) {
      this.#file = openSync(path, 'r+');
      return;
    }
    if (last.number > 0) throw corruptFault(`the file ${path} is missing`);
    this.#file = openSync(path, 'wx+', 0o600);
    this.write(NO_BLOCK);
    fsyncSync(this.#file);
  }

  read(): Head {
    const buffer = Buffer.alloc(2 * SLOT);
    readSync(this.#file, buffer, 0, buffer.length, 0);
    const heads = [0, 1].flatMap((slot) => parseHead(buffer.toString('latin1', slot * SLOT, (slot + 1) * SLOT)));
    const [first, second] = heads;
    if (!first) throw corruptFault('the file head is unreadable');
    return second && second.number > first.number ? second : first;
  }

  /** Two slots in turn, so that a write that is torn leaves the one before. */
  write({ number, hash }: Head): void {
    const body = `${String(number).padStart(16, '0')} ${hash}`;
    writeSync(this.#file, `${body} ${textHash(body)}\n`, (number % 2) * SLOT, 'latin1');
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

const SLOT = 256;

function parseHead(text: string): Head[] {
  const [, body, number, digits, sum] = /^((\d{16}) sha256:([0-9a-f]{64})) (sha256:[0-9a-f]{64})\n/.exec(text) ?? [];
  if (body === undefined || digits === undefined || textHash(body) !== sum) return [];
  return [{ number: Number(number), hash: `sha256:${digits}` }];
}
