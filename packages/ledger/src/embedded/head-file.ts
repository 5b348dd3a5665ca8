import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type ChainEnd, NO_BLOCK, textHash } from './block.ts';
import { corruptFault, storageFault } from './storage-fault.ts';

/** The number and hash of a block that was once durable. */
export type Head = Pick<ChainEnd, 'number' | 'hash'>;

/**
 * A witness beside the database, of the last block that was committed. SQLite takes a log that was cut off for the end of the log; this file
 * still knows that there was more. It is written after the commit and not synced: after a loss of power it may be behind, never ahead.
 */
export type HeadFile = Disposable & { write(head: Head): void };

/** Opens the witness for writing; makes it where there is none, which the caller has found to be right. */
export function openHeadFile(directory: string): HeadFile {
  const path = join(directory, FILE);
  const isNew = readHead(directory) === undefined;
  try {
    const file = openSync(path, isNew ? 'wx' : 'r+', 0o600);
    // Two slots in turn, so that a write that is torn leaves the one before.
    const write = ({ number, hash }: Head): void => {
      const body = `${String(number).padStart(16, '0')} ${hash}`;
      writeSync(file, `${body} ${textHash(body)}\n`, (number % 2) * SLOT, 'latin1');
    };
    if (isNew) {
      write(NO_BLOCK);
      fsyncSync(file);
    }
    return { write, [Symbol.dispose]: () => closeSync(file) };
  } catch (error) {
    throw storageFault(error, `opening ${path}`);
  }
}

/** The last block that the witness knows of, or undefined where there is no witness. Throws a Fault `storage-corrupt` where it is unreadable. */
export function readHead(directory: string): Head | undefined {
  const path = join(directory, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw storageFault(error, `reading ${path}`);
  }
  const heads = [text.slice(0, SLOT), text.slice(SLOT)].flatMap(parseHead);
  const [first, second] = heads;
  if (!first) throw corruptFault(`the file ${path} is unreadable`);
  return second && second.number > first.number ? second : first;
}

const FILE = 'head';
const SLOT = 256;

function parseHead(text: string): Head[] {
  const [, body, number, digits, sum] = /^((\d{16}) sha256:([0-9a-f]{64})) (sha256:[0-9a-f]{64})\n/.exec(text) ?? [];
  if (body === undefined || digits === undefined || textHash(body) !== sum) return [];
  return [{ number: Number(number), hash: `sha256:${digits}` }];
}
