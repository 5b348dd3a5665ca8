import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority, isDue, restoreAuthority } from './certificate-authority.ts';

const HALF_ORDER = 0x7fffffff80000000ffffffffffffffffn;

test('a certificate goes on with a key that it is given, has its subject, and ends when it should', async () => {
  const authority = await restoreAuthority(await createAuthority('the authority of the test'));
  const first = await authority.issue({ names: {}, subject: { name: 'peer.a', unit: 'peer' }, roles: [], days: 10 });
  const second = await authority.issue({ names: { dns: ['peer.a'] }, key: first.key, days: 20 });
  assert.equal(second.key, first.key);
  const [one, two] = [new X509Certificate(first.cert), new X509Certificate(second.cert)];
  assert.notEqual(one.serialNumber, two.serialNumber);
  assert.ok(two.checkPrivateKey(createPrivateKey(first.key)));
  assert.ok(one.publicKey.equals(createPublicKey(first.key)));
  assert.equal(one.subject, 'OU=peer\nCN=peer.a');
  assert.equal(one.subjectAltName, undefined);
  const days = (two.validToDate.getTime() - Date.now()) / 86_400_000;
  assert.ok(days > 19 && days <= 20);
  assert.ok(!isDue(second.cert, authority.cert, { dns: ['peer.a'] }, Date.now()));
  assert.ok(isDue(second.cert, authority.cert, { dns: ['peer.a'] }, Date.now() + 15 * 86_400_000));
});

test('signatures of certificates are in the low form, so that Fabric keeps their bytes', async () => {
  const authority = await createAuthority('the authority of the test');
  for (let issued = 0; issued < 16; issued++) {
    const { cert } = await authority.issue({ names: { dns: ['x'] } });
    // The last integer of a certificate is s; it has 33 bytes with a leading zero where it is beyond half of what 32 bytes hold.
    const { raw } = new X509Certificate(cert);
    const s = [33, 32, 31, 30].find((length) => raw.at(-length - 2) === 2 && raw.at(-length - 1) === length) ?? 0;
    assert.ok(s > 0 && s <= 32, `s has ${s} bytes`);
    const high = BigInt(`0x${raw.subarray(-s).toString('hex')}`) >> (8n * 16n);
    assert.ok(high <= HALF_ORDER);
  }
});
