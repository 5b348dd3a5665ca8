import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLiveFiles } from '@linkspan/keys';
import { besides, readDocument } from '@linkspan/plugin';
import { accept, constant } from '@linkspan/protocol';
import { readLedger } from './ledger-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'linkspan-ledger-config-'));
const files = createLiveFiles({ now: Date.now });
after(() => {
  files[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});
write('module.so', 0o755);
write('pin', 0o600);

const PKCS11 = { module: 'module.so', token: 'country-a', key: 'client', pinFile: 'pin' };
const LEDGER = {
  kind: 'fabric',
  channel: 'linkspan',
  chaincode: 'linkspan',
  mspId: 'country-a',
  client: { certFile: 'client.pem', pkcs11: PKCS11 },
  gateways: [{ address: '127.0.0.1:7300', name: 'peer.country-a', caFile: 'tls-ca.pem' }],
  archiveFile: 'archive.sqlite',
};

test('the key of the client is in a file or in a token', () => {
  const inToken = read(LEDGER);
  assert.ok(inToken.ok && inToken.value.kind === 'fabric', JSON.stringify(inToken));
  const { pkcs11, credentials } = inToken.value.client;
  assert.deepEqual(
    [pkcs11?.module, pkcs11?.token, pkcs11?.key, pkcs11?.pin.current()],
    [join(directory, 'module.so'), 'country-a', 'client', 'secret'],
  );
  assert.deepEqual(credentials?.current(), { cert: 'client.pem' });
  const inFile = read({ ...LEDGER, client: { certFile: 'client.pem', keyFile: 'client.key' } });
  assert.ok(inFile.ok && inFile.value.kind === 'fabric' && inFile.value.client.pkcs11 === undefined);
  assert.deepEqual(inFile.value.client.credentials?.current(), { cert: 'client.pem', key: 'client.key' });
  assert.deepEqual(problemsOf({ certFile: 'client.pem' }), ['/client/keyFile']);
  assert.deepEqual(problemsOf({ certFile: 'client.pem', keyFile: 'client.key', pkcs11: PKCS11 }), ['/client/pkcs11']);
});

test('everything that is wrong with a token is said at once', () => {
  const all = ['/client/certFile', ...['module', 'token', 'key', 'pinFile'].map((name) => `/client/pkcs11/${name}`)];
  assert.deepEqual(problemsOf({ pkcs11: {} }), all);
  write('open-pin', 0o644);
  write('open.so', 0o777);
  const wrong = { module: 'open.so', token: 'x'.repeat(33), key: 'id:0', pinFile: 'open-pin' };
  assert.deepEqual(problemsOf({ pkcs11: wrong }), all);
  const { message } = refusalOf({
    certFile: 'client.pem',
    pkcs11: { ...PKCS11, module: 'open.so', pinFile: 'open-pin' },
  });
  assert.match(message, /open\.so has mode 0777: others can write it\. Run: chmod go-w/);
  assert.match(message, /open-pin has mode 0644: others can use it\. Run: chmod 600/);
  const missing = refusalOf({ certFile: 'client.pem', pkcs11: { ...PKCS11, module: 'none.so', pinFile: 'none' } });
  assert.match(
    missing.message,
    /program library \S+none\.so cannot be read \(ENOENT\).*none cannot be read \(ENOENT\)/,
  );
});

test('a key is named by a label or by an id', () => {
  for (const key of ['client', 'Country A / client', 'id:00', 'id:0aFF'])
    assert.ok(read({ ...LEDGER, client: { certFile: 'client.pem', pkcs11: { ...PKCS11, key } } }).ok, key);
  for (const key of ['id:', 'id:0', 'id:xy', ''])
    assert.deepEqual(problemsOf({ certFile: 'client.pem', pkcs11: { ...PKCS11, key } }), ['/client/pkcs11/key'], key);
});

function write(name: string, mode: number): void {
  writeFileSync(join(directory, name), 'secret\n');
  chmodSync(join(directory, name), mode);
}

function read(ledger: object) {
  const reader = readDocument(ledger);
  const config = readLedger(reader, {
    mode: 'production',
    at: besides(join(directory, 'core.json')),
    files: {
      ...files,
      // That certificates are what they should be is another test's.
      tls: (named) =>
        accept(
          constant({
            ...(named.certFile === undefined ? {} : { cert: baseName(named.certFile) }),
            ...(named.keyFile === undefined ? {} : { key: baseName(named.keyFile) }),
          }),
        ),
    },
  });
  return reader.finish('configuration-invalid', () => config);
}

function refusalOf(client: object) {
  const { ok, ...rest } = read({ ...LEDGER, client });
  assert.ok(!ok && 'refusal' in rest);
  return rest.refusal;
}

function problemsOf(client: object): string[] {
  return (refusalOf(client).problems ?? []).map(({ pointer }) => pointer);
}

function baseName(path: string): string {
  return path.slice(directory.length + 1);
}
