import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import {
  certificatesUntil,
  makeCrypto,
  offerOrdererCertificate,
  renewCrypto,
  takeOrdererCertificate,
} from './crypto-material.ts';
import { type FabricOrganisation, localNetworkFile, readNetworkFile } from './network-definition.ts';
import { type CertificateFiles, networkLayout, type OrganisationLayout } from './network-layout.ts';

const CLIENT_AND_SERVER = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];
let directory: string;
let organisation: FabricOrganisation;
let own: OrganisationLayout;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-crypto-'));
  const file = localNetworkFile(4, 20_000);
  const network = readNetworkFile({
    ...file,
    organisations: file.organisations.map((each, i) => (i === 0 ? { ...each, host: 'nodes.a.example' } : each)),
  });
  const [first] = network.organisations;
  assert.ok(first);
  organisation = first;
  own = networkLayout(directory).organisation(organisation);
  await makeCrypto(organisation, own);
});

after(() => rmSync(directory, { recursive: true }));

test('everybody who signs comes from the one authority, has its key, and shows its role by its unit', () => {
  const ca = certificate(own.ca);
  assert.ok(ca.ca && ca.verify(ca.publicKey));
  for (const [unit, files] of Object.entries({
    peer: own.peer,
    orderer: own.orderer,
    admin: own.admin,
    client: own.client,
  })) {
    const issued = certificate(files);
    assert.ok(!issued.ca && issued.checkIssued(ca) && issued.verify(ca.publicKey), unit);
    assert.ok(issued.checkPrivateKey(createPrivateKey(readFileSync(files.key))), unit);
    assert.deepEqual(issued.subject.split('\n'), [`OU=${unit}`, `CN=${unit}.country-a`]);
    assert.equal(issued.keyUsage, undefined, 'one who signs serves nobody');
  }
  assert.match(readFileSync(join(own.publicMsp, 'config.yaml'), 'utf8'), /"AdminOUIdentifier"/);
});

test('connections have an authority of their own, and certificates for the names by which nodes are reached', () => {
  const [ca, signing] = [certificate(own.tlsCa), certificate(own.ca)];
  for (const [name, node] of Object.entries({ peer: own.peer, orderer: own.orderer })) {
    const issued = new X509Certificate(readFileSync(node.tlsCertificate));
    assert.ok(issued.verify(ca.publicKey) && !issued.verify(signing.publicKey));
    for (const host of [`${name}.country-a`, 'localhost', 'nodes.a.example'])
      assert.equal(issued.checkHost(host), host, host);
    assert.equal(issued.checkIP('127.0.0.1'), '127.0.0.1');
    assert.deepEqual(issued.keyUsage.toSorted(), CLIENT_AND_SERVER);
  }
});

test('private keys are in the own folder alone, for their owner alone; what is shared is the same as what is used', () => {
  const keys = filesIn(directory).filter((file) => readFileSync(file, 'utf8').includes('PRIVATE KEY'));
  assert.equal(keys.length, 2 + 4 + 2);
  for (const file of keys) {
    assert.ok(file.startsWith(own.crypto), file);
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
  }
  for (const [shared, used] of [
    [own.publicTlsCa, own.tlsCa.certificate],
    [own.publicOrdererCertificate, own.orderer.certificate],
    [own.publicOrdererTls, own.orderer.tlsCertificate],
    [join(own.publicMsp, 'cacerts', 'ca.pem'), own.ca.certificate],
  ] as const)
    assert.equal(readFileSync(shared, 'utf8'), readFileSync(used, 'utf8'), shared);
});

test('what is there is left alone, and tells when its first certificate ends', async () => {
  const before = texts();
  await makeCrypto(organisation, own);
  assert.deepEqual(texts(), before);
  const until = certificatesUntil(organisation, own) ?? '';
  const days = (Date.parse(until) - Date.now()) / 86_400_000;
  assert.ok(days > 364 && days <= 365, until);
});

test('renewal gives new keys, except to an orderer’s connections, and leaves what the channel pins of it until that has changed', async () => {
  const before = texts();
  const changed = (): string[] => {
    const now = texts();
    return [...now]
      .filter(([file, text]) => before.get(file) !== text)
      .map(([file]) => file.slice(own.crypto.length + 1));
  };
  await renewCrypto(organisation, own, ['tls']);
  assert.deepEqual(changed(), ['orderer/tls/server.pem', 'peer/tls/server.key', 'peer/tls/server.pem']);
  await renewCrypto(organisation, own, ['signing']);
  assert.ok(!changed().includes('orderer/msp/signcerts/orderer.pem'));
  assert.equal(changed().length, 3 + 6);

  await offerOrdererCertificate(organisation, own);
  const offered = readFileSync(own.publicOrdererCertificate, 'utf8');
  assert.notEqual(offered, readFileSync(own.orderer.certificate, 'utf8'));
  await offerOrdererCertificate(organisation, own);
  assert.equal(readFileSync(own.publicOrdererCertificate, 'utf8'), offered, 'an offer stands until it is taken');
  takeOrdererCertificate(own);
  assert.equal(readFileSync(own.orderer.certificate, 'utf8'), offered);
  assert.ok(certificate(own.orderer).checkPrivateKey(createPrivateKey(readFileSync(own.orderer.key))));
});

test('an authority whose key is elsewhere issues nothing here, and it is told which certificate is wanted of it', async () => {
  const [key, peer] = [own.ca.key, own.peer.certificate];
  rmSync(key);
  await makeCrypto(organisation, own);
  rmSync(peer);
  await assert.rejects(
    makeCrypto(organisation, own),
    (error) =>
      error instanceof Fault &&
      error.code === 'configuration-invalid' &&
      error.message.includes(peer) &&
      error.message.includes(key),
  );
});

function certificate(files: CertificateFiles): X509Certificate {
  return new X509Certificate(readFileSync(files.certificate));
}

/** Everything in the organisation's own folder of keys. */
function texts(): Map<string, string> {
  return new Map(filesIn(own.crypto).map((file) => [file, readFileSync(file, 'utf8')]));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file).isFile())
    .toSorted();
}
