import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  get,
  isObject,
  lodge,
  lodgeBoth,
  problemOf,
  showSettlement,
  startTestNetwork,
  type TestNetwork,
} from './test-support.ts';

let network: TestNetwork;

before(async () => {
  network = await startTestNetwork();
});

after(() => network[Symbol.asyncDispose]());

test('a settlement is found by its own id, its proposal and its trade id, whatever letters that has', async () => {
  for (const tradeId of ['FOUND', 'A/B.c_d-9', `L${'/'.repeat(63)}`]) {
    const { id, proposal } = await lodgeBoth(network, network.instruction(tradeId));
    for (const name of [id, proposal, tradeId]) {
      assert.equal((await showSettlement(network, name)).id, id);
      const history = await get(network.urls['csd-b'] ?? '', `/settlements/${encodeURIComponent(name)}/history`);
      assert.equal(history.status, 200);
    }
  }
});

test('a trade id that several groups of organisations use is ambiguous, and the answer lists them', async () => {
  const url = network.urls['central-bank-a'] ?? '';
  const between = await lodgeBoth(network, network.instruction('TWICE'));
  const within = await lodge(url, withinA('TWICE'), 'within');
  assert.equal(within.status, 202, JSON.stringify(within.body));
  const answer = await get(url, '/settlements/TWICE');
  assert.deepEqual([answer.status, problemOf(answer).code], [409, 'ambiguous']);
  assert.ok(isObject(answer.body) && isObject(answer.body['details']) && isObject(within.body));
  const listed = answer.body['details']['settlements'];
  assert.ok(Array.isArray(listed));
  const ids = listed.map((each) => (isObject(each) ? each['id'] : undefined));
  assert.deepEqual(new Set(ids), new Set([between.id, within.body['id']]));
  assert.equal((await showSettlement(network, between.id)).id, between.id);
});

/** A trade whose three parties the central bank of A speaks for, so that it lodges alone. */
function withinA(tradeId: string) {
  const { buyer, intermediary, ...rest } = network.instruction(tradeId);
  return {
    ...rest,
    seller: { party: buyer.party, bic: buyer.bic, lei: buyer.lei, accounts: { security: 'csd:0099', lcy: 'csd:0099' } },
    buyer: {
      party: 'Higashi Bank',
      bic: 'HIGASGS0XXX',
      lei: '999900HIGASHIB00A090',
      accounts: { security: 'csd:0098', fcy: 'fcy-evm:0xfabb0ac9d68b0b445fb7357272ff202c5651694a' },
    },
    intermediary: { ...intermediary, accounts: { ...intermediary.accounts, lcy: 'csd:9001' } },
  };
}
