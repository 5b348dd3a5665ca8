import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { type BlockFinding, type EvidenceWithBlocks, hashOfFirstBlock, verifyBlocks } from '@linkspan/ledger';
import { entriesOf, textOf } from '../../packages/ledger/src/fabric/channel-members.ts';
import { dataHashOf, readBlock } from '../../packages/ledger/src/fabric/fabric-block.ts';
import { allBytes, bytesAt, bytesField } from '../../packages/ledger/src/fabric/protobuf.ts';
import { createAuthority } from '../../apps/cli/src/certificates/certificate-authority.ts';

/**
 * What evidence is worth when all orderers of the channel lie together: the recorded blocks under a configuration whose orderers' keys the test has, so that it
 * can sign whatever it likes. The organisations' peers and clients are the recorded ones.
 */
const recorded: EvidenceWithBlocks = JSON.parse(
  readFileSync(new URL('../recordings/fabric/settled.json', import.meta.url), 'utf8'),
);
const contents = recorded.fabric.blocks.map(({ content }) => Buffer.from(content, 'base64'));
const last = contents.length - 1;
let corrupt: Corrupt;

before(async () => {
  corrupt = await corruptOrderers();
});

test('blocks that such orderers leave as they are still prove what they hold', () => {
  const verdict = verifyBlocks(corrupt.evidence(contents), corrupt.pin);
  assert.ok(verdict.ok, JSON.stringify(verdict));
  assert.deepEqual(verdict.value.ordered, { fewest: 4, of: 4 });
});

test('they cannot drop an endorsement, change a call, or put in what nobody proposed', () => {
  const envelope = envelopesOf(last)[0] ?? new Uint8Array();
  const payload = bytesAt(envelope, 1);
  const [header, data] = [bytesAt(payload, 1), bytesAt(payload, 2)];
  const action = bytesAt(data, 1, 2);
  const [proposal, endorsed] = [bytesAt(action, 1), bytesAt(action, 2)];
  const rebuilt = (changedProposal: Uint8Array, endorsements: readonly Uint8Array[]): Uint8Array => {
    const answers = message([1, bytesAt(endorsed, 1)], ...endorsements.map((each) => [2, each] as const));
    const actions = message([1, message([1, bytesAt(data, 1, 1)], [2, message([1, changedProposal], [2, answers])])]);
    return message([1, message([1, header], [2, actions])], [2, bytesAt(envelope, 2)]);
  };
  const endorsements = allBytes(endorsed, 2);
  assert.deepEqual(Buffer.from(rebuilt(proposal, endorsements)), Buffer.from(envelope), 'nothing else is changed');
  const fewer = refusal(withEnvelopes(last, [rebuilt(proposal, endorsements.slice(1))]));
  assert.deepEqual(
    [fewer.code, fewer.message],
    ['transaction-unendorsed', 'Transaction 0 has endorsements of 2 organisations that hold: too few.'],
  );
  const text = Buffer.from(proposal)
    .toString('latin1')
    .replace(/"nonce":"./, '"nonce":"!');
  const other = refusal(withEnvelopes(last, [rebuilt(Buffer.from(text, 'latin1'), endorsements)]));
  assert.equal(other.message, 'Transaction 0 is not what its endorsers answered.');
  const signature = bytesAt(envelopesOf(last - 1)[0] ?? new Uint8Array(), 2);
  const foreign = refusal(withEnvelopes(last, [message([1, payload], [2, signature])]));
  assert.equal(foreign.message, 'Transaction 0 is not signed by a member of the channel.');
});

test('they cannot let a transaction count twice, nor after another one that changed what it read', () => {
  const [envelope = new Uint8Array()] = envelopesOf(last);
  assert.equal(refusal(withEnvelopes(last, [envelope, envelope])).code, 'transaction-repeated');
  const swapped = contents
    .with(last - 1, replaced(last - 1, [envelope]))
    .with(last, replaced(last, envelopesOf(last - 1)));
  assert.equal(refusal(swapped).code, 'transaction-conflicts');
});

type Corrupt = {
  readonly pin: ReturnType<typeof hashOfFirstBlock>;
  /** The recorded evidence with these blocks, the first one replaced and the others signed by all orderers. */
  evidence(blocks: readonly Uint8Array[]): EvidenceWithBlocks;
};

async function corruptOrderers(): Promise<Corrupt> {
  const authority = await createAuthority('the authority of the orderers');
  const issued = await Promise.all([1, 2, 3, 4].map((id) => authority.issue({ names: { dns: [`orderer-${id}`] } })));
  const [genesis = Buffer.alloc(0)] = contents;
  const payload = bytesAt(envelopesOf(0)[0] ?? genesis, 1);
  const channel = bytesAt(payload, 2, 1, 2);
  const orderers = entriesOf(channel, 2).get('Orderer') ?? genesis;
  const [named] = entriesOf(orderers, 2);
  assert.ok(named);
  const [name, organisation] = named;
  const service = bytesAt(entriesOf(organisation, 3).get('MSP') ?? genesis, 2, 2);
  const mspId = textOf(bytesAt(service, 1));
  const trusting = entry(
    3,
    'MSP',
    message([2, message([2, Buffer.concat([service, bytesField(2, Buffer.from(authority.cert))])])]),
  );
  const consenters = issued.map(({ cert }, i) =>
    Buffer.concat([varint(1, i + 1), message([4, Buffer.from(mspId)], [5, Buffer.from(cert)])]),
  );
  const principals = issued.map(({ cert }) =>
    Buffer.concat([varint(1, 2), bytesField(2, message([1, Buffer.from(mspId)], [2, Buffer.from(cert)]))]),
  );
  const rules = issued.map((_, i) => bytesField(2, varint(1, i)));
  const threeOfFour = message(
    [2, message([2, Buffer.concat([varint(1, 3), ...rules])])],
    ...principals.map((each) => [3, each] as const),
  );
  const policy = message([2, Buffer.concat([varint(1, 1), bytesField(2, threeOfFour)])]);
  // Of an entry that is there twice the last one counts.
  const changed = Buffer.concat([
    orderers,
    entry(2, name, Buffer.concat([organisation, trusting])),
    entry(3, 'Orderers', message([2, message(...consenters.map((each) => [1, each] as const))])),
    entry(4, 'BlockValidation', policy),
  ]);
  const config = message([1, message([2, Buffer.concat([channel, entry(2, 'Orderer', changed)])])]);
  const first = blockOf(contents[0] ?? genesis, [message([1, message([1, bytesAt(payload, 1)], [2, config])])]);
  const pin = hashOfFirstBlock(first);
  const keys = issued.map(({ key }) => key);
  return {
    pin,
    evidence: (blocks) => {
      const signed = blocks.map((block, i) => (i === 0 ? first : signedBy(keys, block)));
      const numbers = recorded.fabric.blocks.map(({ number }) => number);
      const list = signed.map((block, i) => ({
        number: numbers[i] ?? 0,
        content: Buffer.from(block).toString('base64'),
      }));
      return { ...recorded, fabric: { ...recorded.fabric, blocks: list } };
    },
  };
}

/** Blocks are chained anew too, where they follow each other. */
function refusal(blocks: readonly Uint8Array[]): BlockFinding {
  const chained: Uint8Array[] = [];
  for (const block of blocks) {
    const [previous, read] = [chained.at(-1), readBlock(block)];
    const before = previous && readBlock(previous);
    const follows = before?.number === read.number - 1n;
    chained.push(follows ? blockOf(block, read.envelopes, before.hash) : block);
  }
  const verdict = verifyBlocks(corrupt.evidence(chained), corrupt.pin);
  assert.ok(!verdict.ok);
  return verdict.finding;
}

function envelopesOf(i: number): readonly Uint8Array[] {
  return readBlock(contents[i] ?? Buffer.alloc(0)).envelopes;
}

function withEnvelopes(i: number, envelopes: readonly Uint8Array[]): readonly Uint8Array[] {
  return contents.with(i, replaced(i, envelopes));
}

function replaced(i: number, envelopes: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  return Buffer.from(blockOf(contents[i] ?? Buffer.alloc(0), envelopes));
}

/** The same block with other transactions, all of which the peer is said to have found valid. */
function blockOf(
  block: Uint8Array,
  envelopes: readonly Uint8Array[],
  previousHash = readBlock(block).previousHash,
): Uint8Array {
  const { number } = readBlock(block);
  const head = number === 0n ? Buffer.alloc(0) : varint(1, Number(number));
  const dataHash = dataHashOf({ ...readBlock(block), envelopes });
  const [signatures = new Uint8Array(), last = new Uint8Array()] = allBytes(bytesAt(block, 3), 1);
  const metadata = message([1, signatures], [1, last], [1, new Uint8Array(envelopes.length)]);
  const header = Buffer.concat([head, message([2, previousHash], [3, dataHash])]);
  return message([1, header], [2, message(...envelopes.map((each) => [1, each] as const))], [3, metadata]);
}

function signedBy(keys: readonly string[], block: Uint8Array): Uint8Array {
  const { headerBytes, ordererMetadata } = readBlock(block);
  const signatures = keys.map((key, i) => {
    const identifier = Buffer.concat([varint(1, i + 1), bytesField(2, Buffer.alloc(24))]);
    const signature = sign('sha256', Buffer.concat([ordererMetadata, identifier, headerBytes]), key);
    return [2, message([2, signature], [3, identifier])] as const;
  });
  const [, ...others] = allBytes(bytesAt(block, 3), 1);
  const metadata = [message([1, ordererMetadata], ...signatures), ...others].map((each) => [1, each] as const);
  return message([1, bytesAt(block, 1)], [2, bytesAt(block, 2)], [3, message(...metadata)]);
}

function message(...fields: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  return Buffer.concat(fields.map(([number, content]) => bytesField(number, content)));
}

function entry(field: number, name: string, value: Uint8Array): Uint8Array {
  return bytesField(field, message([1, Buffer.from(name)], [2, value]));
}

/** A field with a number below 128 × 128. */
function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([field * 8, ...(value < 128 ? [value] : [(value % 128) + 128, Math.floor(value / 128)])]);
}
