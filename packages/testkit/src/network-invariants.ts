import assert from 'node:assert/strict';
import { type Entry, ENDS, hashOf, type Hash } from '@linkspan/protocol';
import type { Settlement } from '@linkspan/scenario';
import type { InProcessNetwork } from './in-process-network.ts';
import type { MemorySystem } from './memory-system.ts';

/** The invariants of the settlement protocol over a network in one process, from what systems and ledger say; nothing is asked of coordinators. */
export type NetworkInvariants = {
  /** Holds at every moment. Throws an assertion error that names the invariant. */
  check(): Promise<void>;
  /** Holds once every settlement has ended as well. */
  checkEnded(): Promise<void>;
};

/** Remembers what there is in the beginning, so that nothing can be made or lost afterwards. */
export function watchInvariants(network: InProcessNetwork): NetworkInvariants {
  const opening = sums(network);
  async function check(): Promise<void> {
    assert.deepEqual(sums(network), opening, 'I2 value is conserved in every system and asset');
    for (const system of network.systems.values()) checkSystem(system);
    for (const proposal of await proposals(network)) await checkSettlement(network, proposal);
  }
  return {
    check,
    async checkEnded() {
      await check();
      for (const proposal of await proposals(network)) {
        const { state } = await network.view(proposal);
        assert.ok(ENDS.includes(state.phase), `I9 ${state.tradeId} ends, and is ${state.phase}`);
      }
      for (const system of network.systems.values()) {
        assert.equal(system.books.openHolds(), 0, `I3 every hold in ${system.system} was executed or released`);
      }
    },
  };
}

/** What there is of each asset in each system, and that nobody owes or has held more than there is. */
function sums(network: InProcessNetwork): Record<string, bigint> {
  const totals: Record<string, bigint> = {};
  for (const [id, system] of network.systems) {
    for (const { account, asset, balance, held } of system.positions()) {
      assert.ok(held >= 0n && balance >= held, `${id}:${account} has ${balance} ${asset} and ${held} of it held`);
      totals[`${id} ${asset}`] = (totals[`${id} ${asset}`] ?? 0n) + balance;
    }
  }
  return Object.fromEntries(Object.entries(totals).filter(([, sum]) => sum !== 0n));
}

function checkSystem(system: MemorySystem): void {
  const seen = new Map<Hash, string>();
  const closed = new Set<string>();
  for (const { operation, status, terms } of system.history()) {
    assert.equal(seen.get(operation), undefined, `I5 ${operation} takes effect or dies once in ${system.system}`);
    seen.set(operation, status);
    const { hold } = terms;
    if (hold === undefined) continue;
    assert.ok(!closed.has(hold), `I3 ${hold} is executed or released once`);
    closed.add(hold);
  }
}

async function checkSettlement(network: InProcessNetwork, proposal: Hash): Promise<void> {
  const { state } = await network.view(proposal);
  const history = await entries(network, proposal);
  checkChain(history, state);
  const decided = history.flatMap(({ changes }) => changes.filter((change) => change.what === 'decided'));
  assert.ok(decided.length <= 1, `I4 ${state.tradeId} is decided once`);
  checkLegs(network, state);
}

/** I6: each entry names the one before it, and the last one the state. */
function checkChain(history: readonly Entry[], state: Settlement): void {
  let previous: Hash | null = null;
  for (const [index, entry] of history.entries()) {
    assert.equal(entry.sequence, index + 1, 'I6 entries are numbered without gap');
    assert.equal(entry.previous, previous, 'I6 every entry names the one before it');
    previous = hashOf(entry);
  }
  assert.equal(history.length, state.sequence, 'I6 every change has its entry');
}

/** I1, I4 and I7: legs move under commit only, come back under abort only; in the end all of them or none. */
function checkLegs(network: InProcessNetwork, state: Settlement): void {
  const holds = state.operations.filter(({ verb, purpose }) => verb === 'hold' && purpose === 'prepare');
  const ends = holds.map(({ id, system }) => network.system(system).books.holdStatus(id));
  if (state.decision?.kind !== 'commit')
    assert.ok(!ends.includes('executed'), `I7 ${state.tradeId} moves nothing before commit`);
  if (state.decision?.kind !== 'abort')
    assert.ok(!ends.includes('released'), `I7 ${state.tradeId} releases nothing before abort`);
  if (state.phase === 'settled')
    assert.ok(
      ends.every((end) => end === 'executed'),
      `I1 ${state.tradeId} is delivered in full`,
    );
  if (state.phase === 'cancelled') assert.ok(!ends.includes('held'), `I1 ${state.tradeId} is undone in full`);
}

async function proposals(network: InProcessNetwork): Promise<Hash[]> {
  const all: Hash[] = [];
  for (let before: string | undefined; ;) {
    const page = await network.ledger.evaluate('settlements', { limit: 500, before });
    assert.ok(page.ok);
    all.push(...page.value.settlements.map(({ proposal }) => proposal));
    if (page.value.next === null) return all;
    before = page.value.next;
  }
}

async function entries(network: InProcessNetwork, proposal: Hash): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const page = await network.ledger.evaluate('history', { id: proposal, after: all.at(-1)?.sequence, limit: 500 });
    assert.ok(page.ok);
    all.push(...page.value);
    if (page.value.length < 500) return all;
  }
}
