import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPlan } from './domestic-plan.ts';

const leg = { from: '0042', to: '0099', asset: 'JPY', amount: '1' };
const pay = { by: 'buyer', when: 'at once', do: 'pay', trade: 'T', ...leg };
const lodge = { by: 'seller', when: 'later', do: 'lodge-dvp', trade: 'T', security: leg, cash: leg, hold: true };

test('a plan is read as it stands', () => {
  const plan = { system: 'csd', steps: [pay, lodge] };
  assert.deepEqual(readPlan(plan), plan);
});

test('whatever is missing, wrong or unknown is named', () => {
  const cases: [unknown, RegExp][] = [
    [null, /^TypeError: \/ must be an object/],
    [{ system: 'csd' }, /\/steps must be a list/],
    [{ system: 'csd', steps: [], more: 1 }, /\/more is not a known member/],
    [{ system: 'csd', steps: [{ ...pay, do: 'take' }] }, /\/steps\/0\/do must be/],
    [{ system: 'csd', steps: [{ ...pay, amount: 1 }] }, /\/steps\/0\/amount must be a text/],
    [{ system: 'csd', steps: [pay, { ...lodge, hold: 'yes' }] }, /\/steps\/1\/hold must be/],
    [{ system: 'csd', steps: [{ ...lodge, cash: { ...leg, asset: '' } }] }, /\/steps\/0\/cash\/asset must be/],
  ];
  for (const [plan, message] of cases) assert.throws(() => readPlan(plan), message);
});
