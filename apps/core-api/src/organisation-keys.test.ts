import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { NetworkView } from '@linkspan/contract';
import { writeKeyFile } from '@linkspan/keys';
import { Fault, type Organisation } from '@linkspan/protocol';
import { sampleNetwork, testKeys } from '@linkspan/testkit';
import { readSigners } from './organisation-keys.ts';
import { testSecret } from './test-support.ts';

const { plan } = sampleNetwork();
const { genesis } = plan;
const A = 'central-bank-a';
const folder = mkdtempSync(join(tmpdir(), 'linkspan-keys-'));
after(() => rmSync(folder, { recursive: true }));

const [first, next] = [A, 'next'].map((name) => {
  const file = join(folder, `${name}.keys.json`);
  writeKeyFile(file, { ed25519: testSecret(`${name} call`), secp256k1: testSecret(`${name} certificate`) });
  return file;
});
const OLD = sampleNetwork().organisations[A];
const NEXT = testKeys('next');
const both = { id: A, keyFile: first ?? '', nextKeyFile: next };

test('before the ledger has a network the genesis says which keys count, and the others stand ready', () => {
  const signers = readSigners(both, genesis, null);
  assert.deepEqual([signers.call.key, signers.certificate.key], [OLD?.call.key, OLD?.certificate.key]);
  assert.deepEqual([signers.nextCall?.key, signers.nextCertificate?.key], [NEXT.call.key, NEXT.certificate.key]);
  const alone = readSigners({ ...both, nextKeyFile: undefined }, genesis, null);
  assert.deepEqual([alone.nextCall, alone.nextCertificate], [undefined, undefined]);
});

test('once the ledger names the next keys they are used, one by one', () => {
  const call = readSigners(both, genesis, networkWith({ callKey: NEXT.call.key }));
  assert.deepEqual([call.call.key, call.certificate.key], [NEXT.call.key, OLD?.certificate.key]);
  const renamed = { id: A, keyFile: next ?? '', nextKeyFile: undefined };
  const changed = networkWith({ callKey: NEXT.call.key, certificateKey: NEXT.certificate.key });
  assert.equal(readSigners(renamed, genesis, changed).certificate.key, NEXT.certificate.key);
  assert.throws(() => readSigners(renamed, genesis, networkWith({ callKey: NEXT.call.key })), isInvalid);
});

test('an organisation that was admitted is known by the ledger alone', () => {
  const joins = { ...both, id: 'central-bank-d', keyFile: next ?? '', nextKeyFile: undefined };
  assert.throws(() => readSigners(joins, genesis, null), isInvalid);
  assert.throws(() => readSigners(joins, genesis, networkWith({})), isInvalid);
  const network = networkWith({ id: 'central-bank-d', callKey: NEXT.call.key, certificateKey: NEXT.certificate.key });
  assert.equal(readSigners(joins, genesis, network).call.key, NEXT.call.key);
});

function networkWith(change: Partial<Organisation>): NetworkView {
  const organisations = genesis.organisations.map((each) => (each.id === A ? { ...each, ...change } : each));
  const members = organisations.map(({ id, certificateKey }) => ({ organisation: id, certificateKey }));
  const current = { epoch: 2, quorum: genesis.quorum, members };
  const rest = { announced: null, revoked: [], removed: [], changes: 1 };
  return { id: sampleNetwork().id, epoch: 2, genesis, current, organisations, ...rest };
}

function isInvalid(error: unknown): boolean {
  return error instanceof Fault && error.code === 'configuration-invalid';
}
