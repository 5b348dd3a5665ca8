import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVerify, ed25519Signer } from '@linkspan/keys';
import fc from 'fast-check';
import { z } from 'zod';
import { bytesToHex } from './bytes.ts';
import { hashOf, hashSchema } from './hash.ts';
import { signingKeySchema, signOne } from './signature.ts';
import { type Statement, signedStatementSchema } from './statement.ts';
import { checkStatement, type StatementExpectation } from './statement-check.ts';

const expectation = z.strictObject({
  network: hashSchema,
  settlement: hashSchema,
  system: z.string(),
  keys: z.array(signingKeySchema),
  suspended: z.array(signingKeySchema),
  threshold: z.int(),
});
const vector = { why: z.string(), signed: signedStatementSchema, expected: expectation };
const vectors = z
  .strictObject({
    valid: z.array(z.strictObject(vector)),
    invalid: z.array(z.strictObject({ ...vector, code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/envelopes/statements.json', import.meta.url), 'utf8')));

const verify = createVerify({ memoize: 1000 });
const signers = Array.from({ length: 5 }, (_, i) => ed25519Signer(bytesToHex(new Uint8Array(32).fill(i + 1))));

test('every valid vector is accepted', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { why, signed, expected } of vectors.valid) {
    assert.deepEqual(checkStatement(verify, signed, expected), { ok: true, value: signed.statement }, why);
  }
});

test('every invalid vector is refused with its code', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { why, signed, expected, code } of vectors.invalid) {
    const checked = checkStatement(verify, signed, expected);
    assert.equal(!checked.ok && checked.refusal.code, code, why);
  }
});

test('a statement counts exactly when enough distinct keys signed it, whatever their order and however often', () => {
  const statement: Statement = {
    schema: 'statement/1',
    network: hashOf('network'),
    settlement: hashOf('settlement'),
    operation: hashOf('operation'),
    system: 'rtgs',
    status: 'effective',
    terms: { amount: '1' },
    reason: '',
    transaction: 'x',
  };
  const { network, settlement, system } = statement;
  const who = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(who, fc.integer({ min: 3, max: 5 }), (places, threshold) => {
      const expected: StatementExpectation = {
        network,
        settlement,
        system,
        keys: signers.map(({ key }) => key),
        suspended: [],
        threshold,
      };
      const signatures = places.flatMap((place) => (signers[place] ? [signOne(signers[place], statement)] : []));
      const checked = checkStatement(verify, { statement, signatures }, expected);
      assert.equal(checked.ok, new Set(places).size >= threshold);
      if (!checked.ok) assert.equal(checked.refusal.code, 'statement-too-few');
    }),
  );
});
