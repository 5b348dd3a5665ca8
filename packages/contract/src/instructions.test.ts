import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallBody, type DvpInstruction, flatten, hashOf } from '@linkspan/protocol';
import { ContractScene, lodgeBody, sampleNetwork } from '@linkspan/testkit';
import { runQuery } from './queries.ts';

const net = sampleNetwork();

test('an instruction is lodged by those who speak for its debited sides, and by nobody else', () => {
  const scene = new ContractScene(net);
  const body = lodgeBody(scene.instruction('T-1'));
  const refusal = scene.refused('central-bank-b', body);
  assert.equal(refusal.code, 'not-entitled');
  assert.match(refusal.message, /central-bank-a and csd-b/);
});

test('the sides match field by field: every field that differs is named with both values', () => {
  const instruction = new ContractScene(net).instruction('T-1');
  // The parties' LEIs and the scenario are no differences: with others the trade is another one, or refused.
  const changed: Partial<DvpInstruction>[] = [
    { security: { ...instruction.security, quantity: '999999' } },
    {
      seller: {
        ...instruction.seller,
        accounts: { ...instruction.seller.accounts, lcy: 'rtgs:0042' },
        bic: 'KITAJPJ0XXX',
      },
    },
    {
      intermediary: {
        ...instruction.intermediary,
        accounts: { ...instruction.intermediary.accounts, lcy: 'rtgs:9002' },
      },
    },
    { lcy: { amount: '2000000', currency: 'JPY' }, fcy: { amount: '13422.82', currency: 'USD' } },
    { rate: { ...instruction.rate, source: 'another' } },
    { rate: { ...instruction.rate, of: '/fcy' } },
    { deadline: instruction.deadline.replace('Z', '+00:00') },
    { uetr: '4b1f5a9e-3c0d-4f7e-9a51-2d6c8b7e0f14' },
  ];
  for (const change of changed) {
    const scene = new ContractScene(net);
    const other = { ...instruction, ...change };
    const proposal = scene.lodge('central-bank-a', instruction);
    assert.equal(scene.lodge('csd-b', other), proposal);
    const { state } = scene.view(proposal);
    const [ours, theirs] = [instruction, other].map(
      (each) => new Map(flatten(each).map(({ path, value }) => [path, value])),
    );
    const expected = [...(ours ?? [])].flatMap(([path, value]) => {
      const said = theirs?.get(path) ?? '';
      return said === value ? [] : [{ path, values: { 'central-bank-a': value, 'csd-b': said } }];
    });
    assert.deepEqual(state.differences, expected);
    assert.equal(state.phase, expected.length === 0 ? 'preparing' : 'proposed');
  }
});

test('a field that only one side names is a difference too', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  const { buyer } = instruction;
  scene.lodge('central-bank-a', instruction);
  const proposal = scene.lodge('csd-b', {
    ...instruction,
    buyer: { ...buyer, accounts: { ...buyer.accounts, lcy: 'csd:0099' } },
  });
  const values = { 'central-bank-a': '', 'csd-b': 'csd:0099' };
  assert.deepEqual(scene.view(proposal).state.differences, [{ path: '/buyer/accounts/lcy', values }]);
});

test('a corrected copy replaces the one before, and the settlement begins', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  scene.lodge('central-bank-a', { ...instruction, uetr: '4b1f5a9e-3c0d-4f7e-9a51-2d6c8b7e0f14' });
  const proposal = scene.lodge('csd-b', instruction);
  assert.equal(scene.view(proposal).state.phase, 'proposed');
  scene.lodge('central-bank-a', instruction);
  const { state } = scene.view(proposal);
  assert.equal(state.phase, 'preparing');
  assert.deepEqual(state.fields, flatten(instruction));
  assert.deepEqual(
    state.participants.map(({ role, system, owner }) => [role, system, owner]),
    [
      ['csd', 'csd', 'csd-b'],
      ['fcy', 'fcy-evm', 'central-bank-a'],
      ['lcy', 'rtgs', 'central-bank-b'],
    ],
  );
});

test('F38 a trade id is free again after a rejection, and used for ever from preparing on', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  const first = scene.lodge('central-bank-a', instruction);
  scene.accepted('central-bank-a', { type: 'retract', proposal: first });
  assert.equal(scene.view(first).state.phase, 'rejected');
  const second = scene.begin('T-1');
  assert.notEqual(second, first);
  assert.equal(scene.view(second).state.round, 2);
  const refusal = scene.refused('csd-b', lodgeBody(instruction));
  assert.equal(refusal.code, 'instruction-invalid');
  assert.deepEqual(
    refusal.problems?.map(({ pointer, code }) => [pointer, code]),
    [['/tradeId', 'trade-id-used']],
  );
  scene.world.tx.time += 60_000;
  scene.accepted('csd-b', { type: 'expire', proposal: second });
  scene.answerAll(second);
  scene.answerAll(second);
  assert.equal(scene.view(second).state.phase, 'cancelled');
  const later = scene.instruction('T-1', 120_000);
  assert.equal(scene.refused('csd-b', lodgeBody(later)).code, 'instruction-invalid');
  assert.deepEqual(runQuery(scene.world, 'by-trade-id', { tradeId: 'T-1' }), { ok: true, value: [first, second] });
});

test('F38 nobody squats a trade id: between other organisations it is another trade', () => {
  const scene = new ContractScene(net);
  const squatted = scene.instruction('T-1');
  // Somebody registers a party of its own and begins a trade under the same id.
  const party = { lei: '999900KITABANK00B013', name: 'Kita Bank', bic: 'KITAJPJ0XXX', organisation: 'central-bank-b' };
  assert.equal(scene.refused('central-bank-b', { type: 'register-party', party }).code, 'already-registered');
  const own = { ...party, lei: '9695KITABANKTEST0030', name: 'Squatter', bic: 'SQUAJPJ0XXX' };
  scene.accepted('central-bank-b', { type: 'register-party', party: own });
  scene.accepted('csd-b', {
    type: 'register-account',
    account: { id: 'csd:666', party: own.lei, assets: ['securities'] },
  });
  scene.accepted('central-bank-b', {
    type: 'register-account',
    account: { id: 'rtgs:666', party: own.lei, assets: ['JPY'] },
  });
  const seller = { party: own.name, bic: own.bic, lei: own.lei, accounts: { security: 'csd:666', lcy: 'rtgs:666' } };
  const theirs = scene.lodge('central-bank-b', { ...squatted, seller });
  const ours = scene.begin('T-1');
  assert.notEqual(theirs, ours);
  assert.equal(scene.view(ours).state.phase, 'preparing');
  assert.equal(scene.view(theirs).state.phase, 'proposed');
});

test('F23 a refused instruction does not use up its trade id, and every problem is told', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  const wrong = { ...instruction, security: { ...instruction.security, isin: 'XS0000000008' }, uetr: 'none' };
  const refusal = scene.refused('central-bank-a', lodgeBody(wrong));
  assert.equal(refusal.code, 'instruction-invalid');
  assert.deepEqual(refusal.problems?.map(({ pointer }) => pointer).toSorted(), ['/security/isin', '/uetr']);
  assert.equal(scene.view(scene.begin('T-1')).state.phase, 'preparing');
});

test('a call that names another trade or scenario than its fields, or whose fields are not in order, is refused', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  const fields = flatten(instruction);
  const [first, ...rest] = fields;
  assert.ok(first);
  const body = { type: 'lodge', tradeId: 'T-1', scenario: instruction.scenario, fields } as const;
  const bodies: CallBody[] = [
    { ...body, tradeId: 'T-2' },
    { ...body, scenario: 'dvp-buyer-overseas@2' },
    { ...body, fields: [...rest, first] },
    { ...body, fields: [first, ...fields] },
    { ...body, fields: [first, { path: `${first.path}/below`, value: 'x' }, ...rest] },
  ];
  for (const each of bodies) assert.equal(scene.refused('central-bank-a', each).code, 'call-invalid');
});

test('a copy that comes at the deadline of another is refused; the proposal then only expires', () => {
  const scene = new ContractScene(net);
  const proposal = scene.lodge('central-bank-a', scene.instruction('T-1', 10_000));
  scene.world.tx.time += 10_000;
  assert.equal(scene.refused('csd-b', lodgeBody(scene.instruction('T-1'))).code, 'deadline-passed');
  scene.accepted('central-bank-b', { type: 'expire', proposal });
  assert.equal(scene.view(proposal).state.phase, 'rejected');
});

test('only what one lodged oneself can be retracted, and only before the settlement begins', () => {
  const scene = new ContractScene(net);
  const proposal = scene.lodge('central-bank-a', scene.instruction('T-1'));
  assert.equal(scene.refused('csd-b', { type: 'retract', proposal }).code, 'not-entitled');
  assert.equal(scene.refused('csd-b', { type: 'retract', proposal: hashOf('none') }).code, 'not-registered');
  scene.lodge('csd-b', scene.instruction('T-1'));
  assert.equal(scene.refused('csd-b', { type: 'retract', proposal }).code, 'illegal-edge');
});
