import { DatabaseSync } from 'node:sqlite';
import type { Hash } from '@linkspan/protocol';
import { type ChainEnd, NO_BLOCK } from './block.ts';
import { BlockStore } from './block-store.ts';
import { HeadFile } from './head-file.ts';
import { corruptFault } from './storage-fault.ts';

/** What a full check found. */
export type ChainReport = { readonly blocks: number; readonly hash: Hash; readonly keys: number };

/**
 * Checks a stored ledger from its first block to its last: SQLite's pages, every link and hash of the chain, that the state is exactly what
 * the blocks wrote, and that no block that was once committed is missing. May run beside the process that writes. Throws a Fault
 * `storage-corrupt` that names the first thing that does not hold.
 */
export function verifyChain(directory: string): ChainReport {
  using store = BlockStore.open(directory, { readOnly: true });
  // Read before the blocks are, since the writer may add more meanwhile.
  using head = new HeadFile(directory, store.last());
  store.checkFile();
  // A temporary file of SQLite's own, so that the check needs no more memory for a large ledger than for a small one.
  using written = new DatabaseSync('');
  written.exec('PRAGMA journal_mode = OFF; CREATE TABLE written (key TEXT PRIMARY KEY NOT NULL, hash TEXT) STRICT; BEGIN');
  const put = written.prepare('INSERT OR REPLACE INTO written (key, hash) VALUES (?, ?)');
  const witness = head.read();
  let end: ChainEnd = NO_BLOCK;
  for (const block of store.checkedBlocks(NO_BLOCK)) {
    for (const [key, hash] of parseWrites(block.number, block.writes)) put.run(key, hash);
    if (block.number === witness.number && block.hash !== witness.hash) throw corruptFault(`block ${block.number} is another than before`);
    end = block;
  }
  if (end.number < witness.number) throw corruptFault(`blocks after ${end.number} are missing, up to ${witness.number}`);
  const take = written.prepare('DELETE FROM written WHERE key = ? AND hash = ?');
  let keys = 0;
  for (const [key, hash] of store.checkedState()) {
    if (take.run(key, hash).changes !== 1) throw corruptFault(`the value under ${key} is not what the blocks wrote`);
    keys += 1;
  }
  const left = written.prepare('SELECT key FROM written WHERE hash IS NOT NULL LIMIT 1').get();
  if (left) throw corruptFault(`the value under ${String(left['key'])} is missing`);
  return { blocks: end.number, hash: end.hash, keys };
}

/** The same over the last blocks only: what a crash or a half restored copy could have damaged, in time that does not grow with the ledger. */
export function checkRecent(store: BlockStore, head: HeadFile, last: ChainEnd): void {
  const witness = head.read();
  if (last.number < witness.number) throw corruptFault(`blocks after ${last.number} are missing, up to ${witness.number}`);
  const from = Math.max(0, Math.min(last.number - RECENT, witness.number - 1));
  const [base] = from === 0 ? [NO_BLOCK] : store.blocksAfter(from - 1, 1);
  if (base?.number !== from) throw corruptFault(`block ${from} is missing`);
  const written = new Map<string, Hash | null>();
  for (const block of store.checkedBlocks(base)) {
    for (const [key, hash] of parseWrites(block.number, block.writes)) written.set(key, hash);
    if (block.number === witness.number && block.hash !== witness.hash) throw corruptFault(`block ${block.number} is another than before`);
  }
  for (const [key, hash] of written) {
    if ((store.checkedHash(key) ?? null) !== hash) throw corruptFault(`the value under ${key} is not what the blocks wrote`);
  }
}

/** How many of the last blocks are checked whenever the ledger is opened. */
const RECENT = 64;

function* parseWrites(number: number, text: string): Generator<readonly [string, Hash | null]> {
  const writes: unknown = JSON.parse(text);
  if (!Array.isArray(writes)) throw corruptFault(`the writes of block ${number} are no list`);
  for (const write of writes) {
    const [key, hash]: unknown[] = Array.isArray(write) ? write : [];
    if (typeof key !== 'string' || !(hash === null || isHash(hash))) throw corruptFault(`a write of block ${number} has another form`);
    yield [key, hash];
  }
}

function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
