import assert from 'node:assert/strict';
import { verify, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openPkcs11Signer, type Pkcs11Signer } from '@linkspan/keys';
import { constant, type ErrorCode, Fault, type Live } from '@linkspan/protocol';
import { createAuthority } from '../../apps/cli/src/certificates/certificate-authority.ts';
import { loadCryptoki } from '../../packages/keys/src/pkcs11/cryptoki.ts';
import { newKey, PIN, startSoftHsm } from './soft-hsm.ts';

const hsm = startSoftHsm();
after(() => hsm[Symbol.dispose]());

const TOKEN = 'country-a';
const KEY = { label: 'client', id: '0a1b' };
const { cert: certificate, key } = await (await createAuthority('an authority')).issue({ names: { dns: ['client'] } });
const keyFile = hsm.secretFile('client.key', key);
await hsm.addToken('country-b');
await putKey();

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n;

test('signatures verify and have the smaller s, also when many are asked for at once', async () => {
  for (const name of [KEY.label, `id:${KEY.id}`]) {
    await using signer = await open({ key: name });
    const messages = Array.from({ length: 100 }, (_, i) => Buffer.from(`message ${i}`));
    const signatures = await Promise.all(messages.map((message) => signer.sign(message)));
    for (const [i, message] of messages.entries()) assertSigned(message, signatures[i]);
  }
});

test('the module stays loaded while nobody but the token refers to it', async () => {
  await using signer = await open();
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  assert.ok(typeof collectGarbage === 'function');
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    const message = Buffer.from(`message ${i}`);
    assertSigned(message, await signer.sign(message));
  }
});

test('what does not fit together is refused with a code, at the start', async () => {
  const refused = async (options: Parameters<typeof open>[0], why: RegExp, code: ErrorCode = 'configuration-invalid') =>
    assert.rejects(
      open(options),
      (error) =>
        error instanceof Fault &&
        error.code === code &&
        why.test(error.message) &&
        !/471147|999999/.test(error.message),
    );
  await refused({ pin: constant('999999') }, /C_Login with CKR_PIN_INCORRECT/);
  await refused({ token: 'country-c' }, /no token country-c; it has .*country-a/);
  await refused({ key: 'other' }, /no private elliptic-curve key other/);
  await refused({ key: 'id:0a1c' }, /no private elliptic-curve key id:0a1c/);
  await refused({ module: join(hsm.directory, 'none.so') }, /none\.so cannot be used as a PKCS#11 module/);
  const noModule = join(hsm.directory, 'text.so');
  writeFileSync(noModule, 'no program');
  await refused({ module: noModule }, /text\.so cannot be used as a PKCS#11 module/);
  await hsm.importKey(TOKEN, hsm.secretFile('more.key', newKey()), { label: 'more', id: '02' });
  await refused({ key: 'more' }, /more of the token is not that of the certificate/);
  await hsm.importKey(TOKEN, hsm.secretFile('longer.key', newKey('P-384')), { label: 'longer', id: '03' });
  await refused({ key: 'longer' }, /longer is not on the curve P-256/);
  await hsm.importKey(TOKEN, hsm.secretFile('again.key', newKey()), { label: 'more', id: '04' });
  await refused({ key: 'more' }, /several private keys more/);
});

test('a lost session is opened anew and nobody notices', async () => {
  await using signer = await open();
  const message = Buffer.from('after a lost session');
  await loseSessions();
  assertSigned(message, await signer.sign(message));
  const cryptoki = await loadCryptoki(hsm.module);
  await cryptoki.finalize();
  assertSigned(message, await signer.sign(message));
});

test('without its token it says so with a code, and signs again when the token is back', async () => {
  await using signer = await open();
  const message = Buffer.from('with and without a token');
  await hsm.removeToken(TOKEN);
  await loseSessions();
  await assert.rejects(signer.sign(message), isUnavailable(/no token country-a/));
  await putKey();
  assertSigned(message, await signer.sign(message));
});

test('a PIN that was refused is not said again, and a new one is', async () => {
  let current = PIN;
  await using signer = await open({ pin: { current: () => current, onChange: () => () => undefined } });
  const message = Buffer.from('with a changed PIN');
  current = '999999';
  await loseSessions();
  await assert.rejects(signer.sign(message), isUnavailable(/CKR_PIN_INCORRECT/));
  await assert.rejects(signer.sign(message), isUnavailable(/refused this PIN/));
  current = PIN;
  assertSigned(message, await signer.sign(message));
});

async function putKey(): Promise<void> {
  await hsm.addToken(TOKEN);
  await hsm.importKey(TOKEN, keyFile, KEY);
}

function open(
  options: {
    readonly module?: string;
    readonly token?: string;
    readonly key?: string;
    readonly pin?: Live<string>;
  } = {},
): Promise<Pkcs11Signer> {
  const { module } = hsm;
  return openPkcs11Signer({ module, token: TOKEN, key: KEY.label, pin: constant(PIN), certificate, ...options });
}

/** As when a device was restarted: what this process has open there is not open any more. */
async function loseSessions(): Promise<void> {
  const cryptoki = await loadCryptoki(hsm.module);
  for (const slot of await cryptoki.slots()) await cryptoki.closeAllSessions(slot);
}

function assertSigned(message: Uint8Array, signature: Uint8Array | undefined): void {
  assert.ok(signature);
  assert.ok(verify('sha256', message, new X509Certificate(certificate).publicKey, signature));
  const s = signature.subarray(4 + (signature[3] ?? 0) + 2);
  assert.ok(BigInt(`0x${Buffer.from(s).toString('hex')}`) <= HALF_ORDER);
}

function isUnavailable(why: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === 'ledger-unavailable' && why.test(error.message);
}
