import { DatabaseSync } from 'node:sqlite';
import type { Hash } from '@linkspan/protocol';
import { type Block, type ChainEnd, NO_BLOCK } from './block.ts';
import { BlockStore } from './block-store.ts';
import { type Head, readHead } from './head-file.ts';
import { corruptFault } from './storage-fault.ts';

/** What a full check found. */
export type ChainReport = { readonly blocks: number; readonly hash: Hash; readonly keys: number };

/**
 * Checks a stored ledger from its first block to its last: SQLite's pages, every link and hash of the chain, that the state is exactly what
 * the blocks wrote, and that no block that was once committed is missing. May run beside the process that writes. Throws a Fault
 * `storage-corrupt` that names the first thing that does not hold.
 */
export function verifyChain(directory: string): ChainReport {
  // Read before the blocks are, since the writer may add more meanwhile.
  const witness = readHead(directory);
  using store = BlockStore.open(directory, { readOnly: true });
  store.beginSnapshot();
  checkWitness(witness, store.last());
  store.checkFile();
  // A temporary file of SQLite's own, so that the check needs no more memory for a large ledger than for a small one.
  using written = new DatabaseSync('');
  written.exec(
    'PRAGMA journal_mode = OFF; CREATE TABLE written (key TEXT PRIMARY KEY NOT NULL, hash TEXT) STRICT; BEGIN',
  );
  const put = written.prepare('INSERT OR REPLACE INTO written (key, hash) VALUES (?, ?)');
  let end: ChainEnd = NO_BLOCK;
  for (const block of store.checkedBlocks(NO_BLOCK)) {
    checkAgainst(witness, block);
    for (const [key, hash] of parseWrites(block.number, block.writes)) put.run(key, hash);
    end = block;
  }
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
export function checkRecent(store: BlockStore, witness: Head | undefined): void {
  const last = store.last();
  const witnessed = checkWitness(witness, last);
  const from = Math.max(0, Math.min(store.startOfLast(RECENT_BLOCKS, RECENT_BYTES) - 1, witnessed - 1));
  const [base] = from === 0 ? [NO_BLOCK] : store.blocksAfter(from - 1, 1);
  if (base?.number !== from) throw corruptFault(`block ${from} is missing`);
  const written = new Map<string, Hash | null>();
  for (const block of store.checkedBlocks(base)) {
    checkAgainst(witness, block);
    for (const [key, hash] of parseWrites(block.number, block.writes)) written.set(key, hash);
  }
  for (const [key, hash] of written) {
    if ((store.checkedHash(key) ?? null) !== hash)
      throw corruptFault(`the value under ${key} is not what the blocks wrote`);
  }
}

/** How many of the last blocks are checked whenever the ledger is opened: the last one whatever its size, others up to so many packed bytes. */
const RECENT_BLOCKS = 64;
const RECENT_BYTES = 2 ** 16;

/** The number of the last block that is known to have been committed; it must still be there. */
function checkWitness(witness: Head | undefined, last: ChainEnd): number {
  const number = witness?.number ?? 0;
  if (!witness && last.number > 0) throw corruptFault('the file head, the witness of the last block, is missing');
  if (last.number < number) throw corruptFault(`the blocks from ${last.number + 1} to ${number} are missing`);
  return number;
}

function checkAgainst(witness: Head | undefined, block: Block): void {
  if (block.number === witness?.number && block.hash !== witness.hash) {
    throw corruptFault(`block ${block.number} is not the one that was committed`);
  }
}

function* parseWrites(number: number, text: string): Generator<readonly [string, Hash | null]> {
  const writes: unknown = JSON.parse(text);
  if (!Array.isArray(writes)) throw corruptFault(`the writes of block ${number} are no list`);
  for (const write of writes) {
    const [key, hash]: unknown[] = Array.isArray(write) ? write : [];
    if (typeof key !== 'string' || !(hash === null || isHash(hash)))
      throw corruptFault(`a write of block ${number} has another form`);
    yield [key, hash];
  }
}

function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
