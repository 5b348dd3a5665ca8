import { closeSync, existsSync, fdatasync, fsyncSync, ftruncateSync, openSync, readFileSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { isObject } from './json-rpc.ts';
import { messageOf, StartError } from './start-error.ts';

/** What the chain did, in the order in which it did it: everything else about it follows from these entries. */
export type JournalEntry = {
  /** Raw signed transactions as hex, in the order in which the node was given them. */
  transactions: string[];
  /** The time of the block that was cut after them, in seconds since 1970; null when none was. */
  timestamp: number | null;
  /** Hash of the block that was the head before this entry. */
  parent: string;
};

export type Journal = {
  /** What was in the file when it was opened. */
  entries: readonly JournalEntry[];
  /** Resolves when the entry is on the disk; throws when it cannot be written, after which nothing more may be. */
  append(entry: JournalEntry): Promise<void>;
  close(): void;
};

const writeAsync = promisify(write);
const dataSyncAsync = promisify(fdatasync);
const newline = 10;

/**
 * Opens the journal, creating it if there is none. Its first line names the genesis that its entries build on; a journal of
 * another genesis is refused. A last line that a crash left torn is cut off: it was never acknowledged to anybody.
 * Throws a StartError, naming file and line.
 */
export function openJournal(path: string, genesis: string): Journal {
  const descriptor = openFile(path);
  try {
    const { lines, intactBytes } = readIntactLines(path);
    ftruncateSync(descriptor, intactBytes);
    const head = lines.shift();
    if (head !== undefined) refuseOtherGenesis(path, head, genesis);
    const entries = lines.map((line, index) => parseEntry(path, line, index + 2));
    let started = head !== undefined;
    let failed = false;

    async function append(entry: JournalEntry): Promise<void> {
      if (failed) throw new Error(`The journal ${path} failed before.`);
      const text = started ? [entry] : [{ journal: 1, genesis }, entry];
      started = true;
      try {
        await writeWhole(descriptor, Buffer.from(text.map((line) => `${JSON.stringify(line)}\n`).join('')));
        await dataSyncAsync(descriptor);
      } catch (error) {
        failed = true;
        throw new StartError(`The journal ${path} cannot be written: ${messageOf(error)}.`, error);
      }
    }

    return { entries, append, close: () => closeSync(descriptor) };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openFile(path: string): number {
  try {
    const isNew = !existsSync(path);
    const descriptor = openSync(path, 'a+');
    if (isNew) syncFolder(dirname(path));
    return descriptor;
  } catch (error) {
    throw new StartError(`The journal ${path} cannot be opened: ${messageOf(error)}.`, error);
  }
}

/** A new file is only durable once its folder is. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function readIntactLines(path: string): { lines: unknown[]; intactBytes: number } {
  const bytes = readFileSync(path);
  const lines: unknown[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    const line = parseLine(bytes.toString('utf8', start, end));
    if (line === undefined) {
      if (bytes.indexOf(newline, end + 1) < 0) break;
      throw new StartError(`The journal ${path} is damaged in line ${lines.length + 1}: it is not JSON.`);
    }
    lines.push(line);
    start = end + 1;
  }
  return { lines, intactBytes: start };
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseOtherGenesis(path: string, head: unknown, genesis: string): void {
  if (!isObject(head) || head.journal !== 1) throw new StartError(`${path} is not a journal of this program.`);
  if (head.genesis !== genesis) {
    throw new StartError(
      `The journal ${path} belongs to another configuration (chain, mnemonic, token or certificates).`,
    );
  }
}

function parseEntry(path: string, line: unknown, lineNumber: number): JournalEntry {
  if (isObject(line) && Array.isArray(line.transactions) && typeof line.parent === 'string') {
    const { transactions, timestamp, parent } = line;
    const isTime = timestamp === null || (typeof timestamp === 'number' && Number.isSafeInteger(timestamp));
    const raws = transactions.filter((transaction) => typeof transaction === 'string');
    if (isTime && raws.length === transactions.length) return { transactions: raws, timestamp, parent };
  }
  throw new StartError(`The journal ${path} is damaged in line ${lineNumber}: it is not an entry.`);
}

async function writeWhole(descriptor: number, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += (await writeAsync(descriptor, bytes, written)).bytesWritten;
}
