import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVerify, ed25519Signer } from '@linkspan/keys';
import { z } from 'zod';
import { type Call, callId, signCalls, signedCallSchema } from './call.ts';
import { canonicalJson } from './canonical-json.ts';
import { hashOf } from './hash.ts';
import { parse } from './parse.ts';
import { verifyBatchSignature } from './signature.ts';

const signed = z.looseObject({});
const vectors = z
  .strictObject({
    valid: z.array(z.strictObject({ signed, canonical: z.string(), id: z.string() })),
    invalid: z.array(z.strictObject({ why: z.string(), signed, code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/envelopes/calls.json', import.meta.url), 'utf8')));

const verify = createVerify({ memoize: 0 });

test('every valid vector has its text, its id and a right signature', () => {
  assert.ok(vectors.valid.length > 0);
  for (const vector of vectors.valid) {
    const { call, signature } = signedCallSchema.parse(vector.signed);
    assert.equal(canonicalJson(call), vector.canonical);
    assert.equal(callId(call), vector.id);
    assert.ok(verifyBatchSignature(verify, call, signature));
  }
});

test('every invalid vector is refused with its code', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const vector of vectors.invalid) {
    const parsed = parse(signedCallSchema, vector.signed, 'call-invalid');
    const code = !parsed.ok
      ? parsed.refusal.code
      : verifyBatchSignature(verify, parsed.value.call, parsed.value.signature) || 'signature-invalid';
    assert.equal(code, vector.code, vector.why);
  }
});

test('calls that are signed together are each signed, and alone without a path', () => {
  const signer = ed25519Signer('11'.repeat(32));
  const calls = ['1', '2', '3', '4', '5'].map((nonce): Call => {
    const body = { type: 'expire', proposal: hashOf(nonce) } as const;
    return { schema: 'call/1', network: hashOf('n'), organisation: 'a', actor: 'x', nonce, body };
  });
  const together = signCalls(signer, calls);
  assert.deepEqual(
    together.map(({ call }) => call),
    calls,
  );
  assert.equal(new Set(together.map(({ signature }) => signature.signature)).size, 1);
  for (const { call, signature } of together) {
    assert.ok(verifyBatchSignature(verify, call, signature));
    assert.deepEqual(signedCallSchema.parse({ call, signature }), { call, signature });
  }
  const [alone] = signCalls(signer, calls.slice(0, 1));
  assert.equal(alone?.signature.path, undefined);
  assert.throws(() => signCalls(signer, []), RangeError);
});
