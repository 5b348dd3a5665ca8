import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InProcessNetwork, sampleInstruction, watchInvariants, withVirtualNetwork } from '@linkspan/testkit';

test('a settlement settles in four ledger entries and without time passing', () =>
  withVirtualNetwork(
    async (network, time) => {
      const invariants = watchInvariants(network);
      const before = time.now();
      const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
      const { state, shares } = await network.until(proposal, ['settled', 'cancelled']);
      assert.equal(state.phase, 'settled');
      assert.equal(state.sequence, 4);
      assert.ok(time.now() - before < 100, `it took ${time.now() - before} ms`);
      assert.ok(shares.length >= 2, 'the commit certificate is on the ledger');
      await invariants.checkEnded();
      assert.deepEqual(moved(network), { bond: 1_000_000n, fcy: 671_141n, lcy: 1_000_000n });
    },
    { strict: true },
  ));

const SHORT = {
  fcy: { 'fcy-evm': { '0xbcd4042de499d14e55001ccbb24a551f3b954096': { USD: '1.00' } } },
  bond: { csd: { '0042': { XS0000000009: '1' } } },
  lcy: { rtgs: { '9001': { JPY: '1' } } },
};

for (const [leg, reason] of [
  ['fcy', 'MONY'],
  ['bond', 'LACK'],
  ['lcy', 'MONY'],
] as const) {
  test(`F20 F21 F52 too little for ${leg} cancels everything, with the reason of the system`, () =>
    withVirtualNetwork(
      async (network, time) => {
        const invariants = watchInvariants(network);
        const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
        const { state } = await network.until(proposal, ['settled', 'cancelled']);
        assert.equal(state.phase, 'cancelled');
        assert.equal(state.decision?.because, `earmark/${leg} was refused: ${reason}`);
        await invariants.checkEnded();
      },
      { balances: SHORT[leg] },
    ));
}

/** What the sample instruction's three payers have paid. */
function moved(network: InProcessNetwork) {
  return {
    bond: network.totals('csd')['0099 XS0000000009']?.balance,
    fcy: (network.totals('fcy-evm')['0x71be63f3384f5fb98995898a86b02fb2426c5788 USD']?.balance ?? 0n) - 100_000n,
    lcy: (network.totals('rtgs')['0042 JPY']?.balance ?? 0n) - 1_000_000n,
  };
}
