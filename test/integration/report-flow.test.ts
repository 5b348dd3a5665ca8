import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DvpInstruction, flatten, type Hash, type Statement, type Terms } from '@linkspan/protocol';
import { bindRoles, commands, operationName, residualInWords } from '@linkspan/scenario';
import { ContractScene, readScenario } from '@linkspan/testkit';

/** The report's own flow, taken by hand over the contract: what the machine asks for at each step, and where it ends. */
const DOCUMENT = readScenario('dvp-buyer-overseas-report');
const scene = new ContractScene();

function instruction(tradeId: string, changes: Partial<DvpInstruction> = {}): DvpInstruction {
  const usual = scene.instruction(tradeId);
  const { seller, buyer, intermediary } = usual;
  return {
    ...usual,
    scenario: 'dvp-buyer-overseas-report@1',
    seller: { ...seller, accounts: { ...seller.accounts, lcy: 'csd:0042' } },
    buyer: { ...buyer, accounts: { ...buyer.accounts, lcy: 'csd:0099' } },
    intermediary: { ...intermediary, accounts: { ...intermediary.accounts, lcy: 'csd:9001' } },
    ...changes,
  };
}

function begin(tradeId: string): Hash {
  const lodged = instruction(tradeId);
  scene.lodge('central-bank-a', lodged);
  return scene.lodge('csd-b', lodged);
}

function say(proposal: Hash, name: string, other: Partial<Statement> = {}): void {
  const { expected } = scene.operation(proposal, name);
  const statement = scene.statement(proposal, name, { terms: other.status === 'dead' ? {} : expected, ...other });
  scene.accepted('csd-b', { type: 'record', proposal, statements: [scene.signed(statement)] });
}

function asked(proposal: Hash): string[] {
  return commands(scene.view(proposal).state).map(
    (command) => `${command.do} ${command.name} ${command.certificate ?? '-'}`,
  );
}

function phase(proposal: Hash): string {
  return scene.view(proposal).state.phase;
}

function residuals(proposal: Hash): { readonly residual: string; readonly terms: Terms; readonly words: string }[] {
  const { state } = scene.view(proposal);
  return state.residuals.map((each) => ({ ...each, words: residualInWords(DOCUMENT, state.fields, each).words }));
}

test('settled: the payment is awaited, the DvP is tried under proceed, the foreign currency is executed under commit', () => {
  const proposal = begin('REPORT-1');
  assert.deepEqual(asked(proposal), ['perform earmark/fcy -', 'attest earmark/lcy -']);
  const { terms, expected } = scene.operation(proposal, 'earmark/lcy');
  const key = { filter: 'cash-transfer', trade: 'REPORT-1', from: 'csd:9001', to: 'csd:0099' };
  assert.deepEqual(terms, key);
  assert.deepEqual(expected, { ...key, count: '1', amount: '1000000', currency: 'JPY' });
  say(proposal, 'earmark/fcy');
  assert.equal(phase(proposal), 'preparing');
  say(proposal, 'earmark/lcy');
  assert.equal(phase(proposal), 'deciding');
  assert.deepEqual(asked(proposal), ['perform dvp/dvp proceed']);
  const { proceed } = scene.view(proposal).state;
  assert.deepEqual(proceed?.holds, [scene.operation(proposal, 'earmark/fcy').id]);
  say(proposal, 'dvp/dvp');
  assert.equal(phase(proposal), 'committed');
  assert.deepEqual(asked(proposal), ['perform deliver/fcy commit']);
  say(proposal, 'deliver/fcy');
  assert.equal(phase(proposal), 'settled');
  assert.deepEqual(residuals(proposal), []);
});

test('report 3.3.1, another amount is paid: the DvP is withdrawn unasked, the currency released, what was paid is owed', () => {
  const proposal = begin('REPORT-2');
  say(proposal, 'earmark/fcy');
  const terms = { ...scene.operation(proposal, 'earmark/lcy').expected, amount: '999000' };
  say(proposal, 'earmark/lcy', { terms });
  assert.equal(phase(proposal), 'aborting');
  assert.deepEqual(asked(proposal), ['fence dvp/dvp abort', 'perform earmark/fcy release abort']);
  const { decision } = scene.view(proposal).state;
  assert.deepEqual(decision?.inDoubt, [scene.operation(proposal, 'dvp/dvp').id]);
  say(proposal, 'dvp/dvp', { status: 'dead', reason: 'ABRT' });
  say(proposal, 'earmark/fcy release');
  assert.equal(phase(proposal), 'cancelled');
  const [left, ...others] = residuals(proposal);
  assert.deepEqual([left?.residual, left?.terms, others], ['lcy-with-buyer', terms, []]);
  assert.match(left?.words ?? '', /^Minami Bank has 999,000 JPY and owes it to Central Bank of A\./);
});

test('report 3.3.1, the domestic DvP lacks cash: the currency is released, the residual stays', () => {
  const proposal = begin('REPORT-3');
  say(proposal, 'earmark/fcy');
  say(proposal, 'earmark/lcy');
  say(proposal, 'dvp/dvp', { status: 'dead', reason: 'MONY' });
  assert.equal(phase(proposal), 'aborting');
  assert.deepEqual(asked(proposal), ['perform earmark/fcy release abort']);
  say(proposal, 'earmark/fcy release');
  assert.equal(phase(proposal), 'cancelled');
  assert.equal(scene.view(proposal).state.decision?.because, 'dvp/dvp was refused: MONY');
  assert.deepEqual(
    residuals(proposal).map(({ residual, terms }) => [residual, terms['amount']]),
    [['lcy-with-buyer', '1000000']],
  );
});

test('two payments that sum up to the agreed amount are not the agreed payment', () => {
  const proposal = begin('REPORT-4');
  const terms = { ...scene.operation(proposal, 'earmark/lcy').expected, count: '2' };
  say(proposal, 'earmark/lcy', { terms });
  assert.equal(scene.operation(proposal, 'earmark/lcy').status, 'irregular');
  assert.equal(phase(proposal), 'aborting');
});

test('a payment under way when the currency cannot be held is fenced, and stays as a residual if it was made', () => {
  for (const [trade, status] of [
    ['REPORT-5', 'dead'],
    ['REPORT-6', 'effective'],
  ] as const) {
    const proposal = begin(trade);
    say(proposal, 'earmark/fcy', { status: 'dead' });
    assert.deepEqual(asked(proposal), ['fence earmark/lcy abort', 'fence dvp/dvp abort']);
    say(proposal, 'earmark/lcy', { status, ...(status === 'dead' ? { reason: 'ABRT' } : {}) });
    say(proposal, 'dvp/dvp', { status: 'dead', reason: 'ABRT' });
    assert.equal(phase(proposal), 'cancelled');
    assert.equal(residuals(proposal).length, status === 'dead' ? 0 : 1);
  }
});

test('a DvP whose legs are not the agreed ones decides nothing by itself: people are asked', () => {
  const proposal = begin('REPORT-7');
  say(proposal, 'earmark/fcy');
  say(proposal, 'earmark/lcy');
  const terms = { ...scene.operation(proposal, 'dvp/dvp').expected, cashTo: 'csd:0043' };
  say(proposal, 'dvp/dvp', { terms });
  const { state } = scene.view(proposal);
  assert.equal(state.phase, 'deciding');
  assert.deepEqual(
    state.attention.map(({ reason, operation }) => [reason, operation]),
    [['irregular', 'dvp/dvp']],
  );
  assert.deepEqual(state.operations.filter(({ status }) => status === 'requested').map(operationName), []);
});

test('every account of a role is in the instruction and in one system', () => {
  const problems = (lcy: string | undefined): string[] => {
    const { buyer } = instruction('REPORT-8');
    const { lcy: _, ...others } = buyer.accounts;
    const accounts = lcy === undefined ? others : { ...others, lcy };
    const fields = flatten(instruction('REPORT-8', { buyer: { ...buyer, accounts } }));
    const bound = bindRoles(DOCUMENT, fields, { system: (id) => systems.get(id) });
    return bound.problems.map(({ pointer, code }) => `${pointer} ${code}`);
  };
  const systems = new Map(
    scene.net.plan.calls.flatMap(({ body }) =>
      body.type === 'register-system' ? [[body.system.id, body.system] as const] : [],
    ),
  );
  assert.deepEqual(problems('csd:0099'), []);
  assert.deepEqual(problems('rtgs:0042'), ['/buyer/accounts/lcy account-system-differs']);
  assert.deepEqual(problems(undefined), ['/buyer/accounts/lcy missing']);
});
