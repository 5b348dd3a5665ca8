import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Hash } from '@linkspan/protocol';
import fc from 'fast-check';
import type { ArchivedBlocks } from '../archive.ts';
import { ChannelRules, type Claim } from './channel-rules.ts';
import { type EndorsedTransaction, readEndorsedTransaction } from './endorsed-transaction.ts';
import { dataHashOf, isConfigurationBlock, provablePart, readBlock } from './fabric-block.ts';
import { allBytes, bytesAt, bytesField } from './protobuf.ts';
import { StaleReads } from './stale-reads.ts';
import { type EvidenceWithBlocks, hashOfFirstBlock, verifyBlocks } from './verify-blocks.ts';

/** What a real network of four countries made of one settlement; see tools/record-fabric-blocks.ts. */
const vectors = new URL('../../../../test/recordings/fabric/', import.meta.url);
const recorded: EvidenceWithBlocks = JSON.parse(readFileSync(new URL('settled.json', vectors), 'utf8'));
const other = readFileSync(new URL('other-genesis.block', vectors));
const contents = recorded.fabric.blocks.map(({ content }) => Buffer.from(content, 'base64'));
const [genesis = Buffer.alloc(0)] = contents;
const pin = hashOfFirstBlock(genesis);
const last = contents.length - 1;

test('blocks of a real network prove the calls of the settlement, under the first block that the reader names', () => {
  const verdict = verifyBlocks(recorded, pin);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  const { proves, doesNotProve, ...counts } = verdict.value;
  assert.deepEqual(counts, {
    channel: 'linkspan',
    chaincode: 'linkspan',
    firstBlock: pin,
    pinned: true,
    blocks: 5,
    configurations: 1,
    transactions: 4,
    ordered: { fewest: 3, of: 4 },
    endorsed: { fewest: 3, of: 4 },
  });
  assert.match(proves, new RegExp(`^Given the configuration block ${pin}, which you named: at least 3 of 4 orderers`));
  assert.match(doesNotProve, /^Not proved: what other blocks hold, before, between or after these;/);
  const alone = verifyBlocks(recorded);
  assert.ok(alone.ok && !alone.value.pinned);
  assert.match(
    alone.value.proves,
    /^If you trust the configuration block sha256:[0-9a-f]{64}, which is the file’s own word/,
  );
});

test('another channel is refused: by its first block, and by its orderers where the file brings its own', () => {
  assert.equal(code(recorded, hashOfFirstBlock(other)), 'configuration-other');
  const foreign = withBlocks((blocks) => blocks.with(0, numbered(0, provablePart(other))));
  assert.equal(code(foreign), 'block-unsigned');
  assert.equal(code(foreign, pin), 'configuration-other');
  assert.equal(code(withBlocks((blocks) => blocks.slice(1))), 'configuration-missing');
  assert.equal(code(withBlocks(() => [])), 'block-missing');
  assert.throws(() => hashOfFirstBlock(contents[last] ?? genesis), RangeError);
});

test('a changed envelope is refused, whether or not the header is made to fit', () => {
  const changed = change(last, ({ header, data, metadata }) => ({ header, data: flipped(data, 900), metadata }));
  assert.equal(code(changed), 'block-data-differs');
  const fitting = change(last, ({ header, data, metadata }) => {
    const bytes = flipped(data, 900);
    const dataHash = dataHashOf(readBlock(encode({ header, data: bytes, metadata })));
    return { header: withField(header, 3, [dataHash]), data: bytes, metadata };
  });
  assert.equal(code(fitting), 'block-unsigned');
  const less = change(1, ({ header, data, metadata }) => ({
    header,
    data: withField(data, 1, allBytes(data, 1).slice(1)),
    metadata,
  }));
  assert.equal(code(less), 'block-data-differs');
});

test('a block needs a quorum of different orderers’ signatures over itself', () => {
  const signed = allBytes(allBytes(bytesAt(contents[last] ?? genesis, 3), 1)[0] ?? genesis, 2);
  const elsewhere = allBytes(allBytes(bytesAt(contents[last - 1] ?? genesis, 3), 1)[0] ?? genesis, 2);
  const [one = genesis, two = genesis, three = genesis] = signed;
  const [foreign = genesis] = elsewhere;
  const identifier = bytesAt(three, 3);
  const renamed = withField(three, 3, [Buffer.concat([Uint8Array.of(0x08, 9), bytesField(2, bytesAt(identifier, 2))])]);
  for (const few of [[], [one, two], [one, two, two], [one, two, foreign], [one, two, renamed]])
    assert.equal(code(signedBy(few)), 'block-unsigned', `${few.length}`);
  assert.ok(verifyBlocks(signedBy([three, one, two, foreign, renamed, two])).ok);
});

test('blocks stand once, in their order, chained where they follow each other, and under their own number', () => {
  assert.equal(code(withBlocks((blocks) => blocks.toReversed())), 'configuration-missing');
  assert.equal(code(withBlocks((blocks) => [...blocks, ...blocks.slice(-1)])), 'block-order-wrong');
  const swapped = withBlocks((blocks) =>
    blocks.map(({ number }, i) => numbered(number, contents[i === 0 ? 0 : last + 1 - i] ?? genesis)),
  );
  assert.equal(code(swapped), 'block-malformed');
  assert.equal(code(withBlocks((blocks) => blocks.slice(0, -1))), 'block-missing');
  const previous = recorded.fabric.blocks[last - 1]?.number;
  assert.equal(recorded.fabric.blocks[last]?.number, (previous ?? 0) + 1, 'the last two follow each other');
  const unchained = change(last, ({ header, data, metadata }) => {
    return { header: withField(header, 2, [flipped(bytesAt(header, 2), 0)]), data, metadata };
  });
  assert.equal(code(unchained), 'block-chain-broken');
});

test('the calls are those of the blocks: none changed, moved, redated, put in, or left out before the last', () => {
  const { settlements } = recorded;
  const [settlement] = settlements;
  assert.ok(settlement);
  const { calls } = settlement;
  const [first, second] = calls;
  assert.ok(first && second);
  const withCalls = (changed: typeof calls): EvidenceWithBlocks => ({
    ...recorded,
    settlements: [{ ...settlement, calls: changed }],
  });
  const { signature } = second.call;
  for (const wrong of [
    { ...first, call: second.call },
    { ...first, time: first.time + 1 },
    { ...first, index: first.index + 100 },
    { ...first, block: first.block + 1 },
    { ...first, call: { ...first.call, signature } },
  ])
    assert.equal(code(withCalls([wrong, ...calls.slice(1)])), 'call-not-in-block');
  assert.equal(code(withCalls(calls.slice(1))), 'call-left-out');
  const earlier = calls.filter(({ block }) => block !== calls.at(-1)?.block);
  assert.ok(earlier.length > 0 && earlier.length < calls.length - 1);
  assert.equal(code(withCalls(earlier)), 'proved');
  assert.equal(code(withCalls(calls.slice(0, -1))), 'call-left-out');
  const refusedByPeer = change(last, ({ header, data, metadata }) => {
    const parts = allBytes(metadata, 1).with(2, Uint8Array.of(11));
    return { header, data, metadata: withField(metadata, 1, parts) };
  });
  assert.equal(code(refusedByPeer), 'call-not-in-block');
});

test('endorsements count once for each organisation of the policy, and for what its peers answered alone', () => {
  const { rules, transaction } = endorsedTransaction();
  const { endorsements } = transaction;
  const [one, two, three] = endorsements;
  assert.ok(one && two && three && endorsements.length === 3);
  assert.ok(transaction.isWhole && rules.endorsed(endorsements).holds);
  const changed = { ...three, data: flipped(three.data, 60) };
  const unsigned = { ...three, signature: flipped(three.signature, 20) };
  const nobody = { ...three, identity: flipped(three.identity, 3) };
  for (const few of [
    [one, two],
    [one, two, two],
    [one, two, changed],
    [one, two, unsigned],
    [one, two, nobody],
    [one, two, transaction.creator],
  ])
    assert.equal(rules.endorsed(few).holds, false);
  assert.deepEqual(rules.endorsed([one, two, transaction.creator]).members.length, 2, 'a client is no peer');
  const elsewhere = new ChannelRules(readBlock(other));
  assert.deepEqual(elsewhere.endorsed(endorsements), { holds: false, members: [] });
});

test('a transaction is what its endorsers answered: other arguments, another creator or another id are noticed', () => {
  const { envelope } = endorsedTransaction();
  const text = Buffer.from(envelope).toString('latin1');
  const whole = (changed: string): boolean =>
    readEndorsedTransaction(Buffer.from(changed, 'latin1'), 'linkspan')?.isWhole ?? true;
  assert.equal(whole(text), true);
  const { id } = endorsedTransaction().transaction;
  assert.equal(whole(text.replace(id, `${id.slice(1)}${id.startsWith('0') ? '1' : '0'}`)), false);
  assert.equal(whole(text.replace('submit', 'submiT')), false);
  assert.equal(
    whole(text.replace(/"nonce":"(.)/, (found, digit: string) => found.slice(0, -1) + (digit === 'a' ? 'b' : 'a'))),
    false,
  );
  assert.equal(readEndorsedTransaction(envelope, 'another'), undefined);
});

test('a field that is there twice is refused, since readers differ in which they take', () => {
  const { envelope } = endorsedTransaction();
  const payload = bytesAt(envelope, 1);
  const twice = Buffer.concat([bytesField(1, payload), envelope]);
  assert.throws(() => readEndorsedTransaction(twice, 'linkspan'), RangeError);
});

test('one byte changed anywhere is refused or stands where nothing is proved by it, and nothing throws', () => {
  fc.assert(
    fc.property(fc.nat(last), fc.nat(), fc.integer({ min: 1, max: 255 }), (i, place, by) => {
      const content = contents[i] ?? genesis;
      const at = place % content.length;
      const verdict = verifyBlocks(
        withBlocks((blocks) => blocks.with(i, numbered(blocks[i]?.number ?? 0, flipped(content, at, by)))),
        pin,
      );
      const metadata = content.length - bytesAt(content, 3).length;
      assert.ok(!verdict.ok || at >= metadata - 8, `byte ${at} of block ${i}`);
    }),
    { numRuns: 60 },
  );
});

test('a transaction that read what an earlier one had replaced is noticed', () => {
  const version = (block: number, place: number): Uint8Array => Uint8Array.of(0x08, block, 0x10, place);
  const set = (key: string, read?: Uint8Array): Uint8Array => {
    const name = bytesField(1, Buffer.from(key));
    const reads = read ? bytesField(1, Buffer.concat([name, bytesField(2, read)])) : new Uint8Array();
    return bytesField(
      2,
      Buffer.concat([bytesField(1, Buffer.from('cc')), bytesField(2, Buffer.concat([reads, bytesField(3, name)]))]),
    );
  };
  const reads = new StaleReads();
  assert.equal(reads.take(set('a'), { block: 5n, place: 1 }), undefined);
  assert.equal(reads.take(set('a', version(5, 1)), { block: 6n, place: 0 }), undefined);
  assert.equal(reads.take(set('b', version(1, 0)), { block: 6n, place: 1 }), undefined);
  assert.equal(reads.take(set('a', version(5, 1)), { block: 6n, place: 2 }), 'a');
  assert.equal(
    reads.take(set('a', version(7, 0)), { block: 8n, place: 0 }),
    undefined,
    'of a block that is not looked at',
  );
});

type Blocks = ArchivedBlocks['blocks'];
type Parts = { readonly header: Uint8Array; readonly data: Uint8Array; readonly metadata: Uint8Array };

function code(evidence: EvidenceWithBlocks, firstBlock?: Hash): string {
  const verdict = verifyBlocks(evidence, firstBlock);
  return verdict.ok ? 'proved' : verdict.finding.code;
}

function withBlocks(changed: (blocks: Blocks) => Blocks): EvidenceWithBlocks {
  const { fabric } = recorded;
  return { ...recorded, fabric: { ...fabric, blocks: changed(fabric.blocks) } };
}

function numbered(number: number, content: Uint8Array): Blocks[number] {
  return { number, content: Buffer.from(content).toString('base64') };
}

function change(i: number, changed: (parts: Parts) => Parts): EvidenceWithBlocks {
  const content = contents[i] ?? genesis;
  const parts = { header: bytesAt(content, 1), data: bytesAt(content, 2), metadata: bytesAt(content, 3) };
  return withBlocks((blocks) => blocks.with(i, numbered(blocks[i]?.number ?? 0, encode(changed(parts)))));
}

function encode({ header, data, metadata }: Parts): Uint8Array {
  return Buffer.concat([bytesField(1, header), bytesField(2, data), bytesField(3, metadata)]);
}

/** The last block under other signatures. */
function signedBy(signatures: readonly Uint8Array[]): EvidenceWithBlocks {
  return change(last, ({ header, data, metadata }) => {
    const [signed = genesis, ...others] = allBytes(metadata, 1);
    return { header, data, metadata: withField(metadata, 1, [withField(signed, 2, signatures), ...others]) };
  });
}

/** A message of numbers in field 1 at most and bytes else, with other contents in one field of bytes. */
function withField(message: Uint8Array, number: number, contents: readonly Uint8Array[]): Uint8Array {
  const kept: Uint8Array[] = message[0] === 0x08 ? [message.subarray(0, (message[1] ?? 0) > 127 ? 3 : 2)] : [];
  for (const field of [1, 2, 3]) {
    const values = field === number ? contents : allBytes(message, field);
    kept.push(...values.map((value) => bytesField(field, value)));
  }
  return Buffer.concat(kept);
}

function flipped(bytes: Uint8Array, at: number, by = 1): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ by;
  return changed;
}

function endorsedTransaction(): {
  readonly rules: ChannelRules;
  readonly envelope: Uint8Array;
  readonly transaction: EndorsedTransaction & { readonly creator: Claim };
} {
  const blocks = contents.map(readBlock);
  const [configuration] = blocks.filter(isConfigurationBlock);
  const envelope = blocks.at(-1)?.envelopes[0];
  assert.ok(configuration && envelope);
  const transaction = readEndorsedTransaction(envelope, 'linkspan');
  assert.ok(transaction);
  return { rules: new ChannelRules(configuration), envelope, transaction };
}
