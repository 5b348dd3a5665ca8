import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compareBytes, utf8ToBytes } from '@linkspan/protocol';
import fc from 'fast-check';
import { NO_BLOCK, sealBlock, textHash } from './block.ts';
import { BlockStore } from './block-store.ts';

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-store-'));
});
after(() => rmSync(directory, { recursive: true }));

const EMPTY = { calls: '[]', results: '[]', events: '[]', writes: '[]' };
// Few letters, so that keys share prefixes; the last ones of one, two, three and four bytes, so that their order matters.
const key = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '\u007f', '\u07ff', '\uffff', '\u{10ffff}', '\u{10000}'),
  maxLength: 5,
});

test('a range is the keys with its prefix in the order of their bytes, in both directions, from any key, in pages', () => {
  let runs = 0;
  const names = fc.uniqueArray(key, { maxLength: 30 });
  fc.assert(
    fc.property(
      names,
      key,
      fc.option(key, { nil: undefined }),
      fc.boolean(),
      fc.integer({ min: 1, max: 8 }),
      (keys, prefix, after, reverse, limit) => {
        const path = join(directory, `range-${runs++}.d`);
        using store = openNew(path);
        const values = keys.map((name) => [name, JSON.stringify({ name })] as const);
        const writes = new Map(values.map(([name, text]) => [name, { text, hash: textHash(text) }]));
        store.append(sealBlock({ number: 1, time: 1, previous: NO_BLOCK.hash, ...EMPTY }), writes);
        const matching = keys.filter((name) => name.startsWith(prefix)).toSorted(byBytes);
        if (reverse) matching.reverse();
        const rest = matching.filter(
          (name) => after === undefined || (reverse ? byBytes(name, after) < 0 : byBytes(name, after) > 0),
        );
        const found = store.range(prefix, { limit, reverse, ...(after === undefined ? {} : { after }) });
        assert.deepEqual(
          found,
          rest.slice(0, limit).map((name) => [name, { name }]),
        );
        for (const name of keys) assert.deepEqual(store.get(name), { name });
      },
    ),
    { numRuns: 60 },
  );
});

test('a block that cannot be written leaves nothing of itself', () => {
  using store = openNew(join(directory, 'half.d'));
  const text = '{"a":1}';
  const first = sealBlock({ number: 1, time: 1, previous: NO_BLOCK.hash, ...EMPTY });
  store.append(first, new Map());
  assert.throws(() => store.append(first, new Map([['key', { text, hash: textHash(text) }]])));
  assert.equal(store.get('key'), undefined);
  store.append(
    sealBlock({ number: 2, time: 1, previous: first.hash, ...EMPTY }),
    new Map([['key', { text, hash: textHash(text) }]]),
  );
  assert.deepEqual(store.get('key'), { a: 1 });
  assert.equal(store.last().number, 2);
});

test('the last blocks are found by number and by size, at least one and no more than there are', () => {
  using store = openNew(join(directory, 'last.d'));
  assert.equal(store.startOfLast(64, 1000), 0);
  let end = NO_BLOCK;
  for (let number = 1; number <= 8; number++) {
    const calls = JSON.stringify([randomBytes(number === 5 ? 2000 : 50).toString('hex')]);
    const block = sealBlock({ number, time: 1, previous: end.hash, ...EMPTY, calls });
    store.append(block, new Map());
    end = block;
  }
  assert.equal(store.startOfLast(64, 1_000_000), 1);
  assert.equal(store.startOfLast(3, 1_000_000), 6);
  assert.equal(store.startOfLast(64, 1000), 6, 'the large one is too much');
  assert.equal(store.startOfLast(64, 1), 8);
});

function openNew(path: string): BlockStore {
  rmSync(path, { recursive: true, force: true });
  return BlockStore.open(mkdtempSync(path));
}

function byBytes(a: string, b: string): number {
  return compareBytes(utf8ToBytes(a), utf8ToBytes(b));
}
