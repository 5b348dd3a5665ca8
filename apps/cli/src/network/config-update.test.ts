import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { bytesAt, bytesField, numberAt } from '@linkspan/ledger';
import { lowSSigner } from '@linkspan/keys';
import {
  changesIn,
  channelOf,
  configIn,
  encodeSignature,
  numberOfBlock,
  signatureHeader,
  signerOf,
  updateEnvelope,
  updateIn,
} from './config-update.ts';

test('what an update adds, changes and removes is told by the place where it does so, and nothing else is', () => {
  const before = group(0, {
    groups: {
      Application: group(3, {
        groups: { a: group(0), b: group(0) },
        policies: { Endorsement: entry(2), Readers: entry(0) },
      }),
      Orderer: group(0, { values: { Orderers: entry(1) } }),
    },
  });
  const read = group(0, {
    groups: {
      Application: group(3, { groups: { a: group(0) }, policies: { Readers: entry(0) } }),
      Orderer: group(0),
    },
  });
  const write = group(0, {
    groups: {
      Application: group(4, {
        groups: { a: group(0), c: group(0) },
        policies: { Endorsement: entry(3), Readers: entry(0) },
      }),
      Orderer: group(0, { values: { Orderers: entry(2) } }),
    },
  });
  assert.deepEqual(changesIn(updateOf(read, write), bytesField(2, before)), [
    'adds Channel/Application/c',
    'removes Channel/Application/b',
    'changes Channel/Application/Endorsement',
    'changes Channel/Orderer/Orderers',
  ]);
  assert.deepEqual(changesIn(updateOf(before, before), bytesField(2, before)), []);
});

test('an update in its envelope, with its signatures, is read back from the block that it makes', async () => {
  const update = updateOf(group(0), group(1));
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const header = signatureHeader('country-a', Buffer.from('certificate'), Buffer.from('nonce'));
  const sign = lowSSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const signed = encodeSignature({ header, signature: await sign(Buffer.concat([header, update])) });
  assert.equal(signerOf(signed), 'country-a');
  assert.equal(channelOf(update), 'linkspan');
  const envelope = updateEnvelope(update, [signed, signed]);
  assert.equal(numberAt(bytesAt(envelope, 1, 1, 1), 1), 2n, 'the type of the message is CONFIG_UPDATE');
  assert.equal(Buffer.from(bytesAt(envelope, 1, 1, 1, 4)).toString(), 'linkspan');
  const first = bytesAt(envelope, 1, 2, 2);
  const verifier = createVerify('sha256').update(bytesAt(first, 1)).update(update);
  assert.ok(verifier.verify(publicKey, bytesAt(first, 2)));

  const config = bytesField(2, group(1));
  const made = Buffer.concat([bytesField(1, config), bytesField(2, envelope)]);
  const data = bytesField(1, bytesField(1, bytesField(2, made)));
  const block = Buffer.concat([bytesField(1, version(7)), bytesField(2, data)]);
  assert.equal(numberOfBlock(block), 7n);
  assert.deepEqual(Buffer.from(configIn(block)), config);
  assert.deepEqual(Buffer.from(updateIn(block)), Buffer.from(update));
});

type Entries = Readonly<Record<string, Uint8Array>>;

/** A ConfigGroup. */
function group(
  number: number,
  parts: { readonly groups?: Entries; readonly values?: Entries; readonly policies?: Entries } = {},
): Uint8Array {
  const { groups = {}, values = {}, policies = {} } = parts;
  const kinds = [groups, values, policies].flatMap((entries, i) =>
    Object.entries(entries).map(([name, content]) =>
      bytesField(i + 2, Buffer.concat([bytesField(1, Buffer.from(name)), bytesField(2, content)])),
    ),
  );
  return Buffer.concat([version(number), ...kinds]);
}

function entry(number: number): Uint8Array {
  return version(number);
}

function version(number: number): Uint8Array {
  return number === 0 ? new Uint8Array() : Uint8Array.of(8, number);
}

function updateOf(read: Uint8Array, write: Uint8Array): Uint8Array {
  return Buffer.concat([bytesField(1, Buffer.from('linkspan')), bytesField(2, read), bytesField(3, write)]);
}
