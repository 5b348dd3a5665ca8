import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify, ed25519Signer } from '@linkspan/keys';
import { verifyBatchSignature } from '@linkspan/protocol';
import { createBatchSigner } from './batch-signer.ts';

test('what is asked for together is signed together, and each signature stands alone', async () => {
  const signer = ed25519Signer('7'.repeat(64));
  let calls = 0;
  const batches = createBatchSigner({
    key: signer.key,
    sign(bytes) {
      calls++;
      return signer.sign(bytes);
    },
  });
  const documents = Array.from({ length: 1_500 }, (_, number) => ({ number }));
  const signatures = await Promise.all(documents.map((document) => batches.sign(document)));
  assert.equal(calls, 2, '1500 documents are two batches of at most 1024');
  const verify = createVerify({ memoize: 10 });
  for (const [i, signature] of signatures.entries()) {
    assert.ok(verifyBatchSignature(verify, { number: i }, signature));
    assert.ok(!verifyBatchSignature(verify, { number: i + 1 }, signature));
  }
  const alone = await batches.sign({ alone: true });
  assert.equal(alone.path, undefined);
  assert.ok(verifyBatchSignature(verify, { alone: true }, alone));
});

test('a signer that fails fails those who asked, and nobody later', async () => {
  let broken = true;
  const signer = ed25519Signer('7'.repeat(64));
  const batches = createBatchSigner({
    key: signer.key,
    sign(bytes) {
      if (broken) throw new Error('the token is gone');
      return signer.sign(bytes);
    },
  });
  await assert.rejects(batches.sign({ one: 1 }), /the token is gone/);
  broken = false;
  await batches.sign({ two: 2 });
});
