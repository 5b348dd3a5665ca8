import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatten } from '@linkspan/protocol';
import { readScenario, sampleInstruction } from '@linkspan/testkit';
import { residualInWords } from './residuals.ts';

const document = readScenario('dvp-buyer-overseas-report');
const fields = flatten(sampleInstruction('T', 1_800_000_000_000));
const terms = { amount: '999000', currency: 'JPY', from: 'csd:9001', to: 'csd:0099' };

test('a residual says who has what was read back, to whom it is owed, and why it stays', () => {
  const { holder, owes, words } = residualInWords(document, fields, { residual: 'lcy-with-buyer', terms });
  assert.deepEqual([holder, owes], ['Minami Bank', 'Central Bank of A']);
  assert.match(
    words,
    /^Minami Bank has 999,000 JPY and owes it to Central Bank of A\. The overseas central bank may not /,
  );
});

test('a residual that nobody declared names nobody', () => {
  for (const known of [document, undefined]) {
    const said = residualInWords(known, fields, { residual: 'undeclared: x/y', terms });
    assert.deepEqual([said.holder, said.owes], [null, null]);
    assert.match(said.words, /^999,000 JPY is left open/);
  }
});
