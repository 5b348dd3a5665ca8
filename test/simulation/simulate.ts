import { type Hash, hashOf } from '@linkspan/protocol';
import { type InProcessNetwork, type VirtualTime, watchInvariants, withVirtualNetwork } from '@linkspan/testkit';
import { Faults } from './faults.ts';
import { Random } from './random.ts';
import { act, DEEDS } from './workload.ts';

/** Everything that happened in one run, line by line, and how each settlement ended. */
export type SimulationResult = { readonly log: readonly string[]; readonly ends: Readonly<Record<string, string>> };

const STEP_MS = 250;
const HARM_MS = 30_000;
/** Once nothing breaks any more everything ends within this: the longest deadline, taking turns, back-off. */
const END_MS = 180_000;
/** Whatever is still on its way arrives within this. */
const LATE_MS = 70_000;

/**
 * Half a minute of a whole network with people, faults and virtual time, all drawn from one seed, then quiet until everything has ended. Throws when an
 * invariant does not hold; `log` has what happened until then. `sabotage` is done in the beginning, to see that the checkers see.
 */
export async function simulate(
  seed: number,
  log: string[] = [],
  sabotage: (network: InProcessNetwork) => void = () => undefined,
): Promise<SimulationResult> {
  const ends: Record<string, string> = {};
  await withVirtualNetwork(async (network, time) => {
    const write = (line: string): void => void log.push(`${time.now()} ${line}`);
    await using opened = new AsyncDisposableStack();
    opened.use(record(network, write));
    const random = new Random(seed);
    const invariants = watchInvariants(network);
    sabotage(network);
    const faults = new Faults(network, random, write);
    const proposals = new Map<string, Hash>();
    const end = time.now() + HARM_MS;
    const pause = random.pick([3_000, 8_000, 20_000]);
    for (let at = time.now(); time.now() < end;) {
      if (time.now() >= at) {
        const deed = random.pick(DEEDS);
        const tradeId = `S-${seed}-${proposals.size}`;
        write(`people: ${deed} ${tradeId}`);
        proposals.set(tradeId, await act(network, random, deed, tradeId));
        at = time.now() + random.between(1, pause);
      }
      faults.pass();
      await time.pass(random.between(1, STEP_MS));
      if (random.chance(0.05)) await invariants.check();
    }
    faults.stop();
    await untilEnded(network, time, faults, [...proposals.values()]);
    await time.pass(LATE_MS);
    await invariants.checkEnded();
    for (const [tradeId, proposal] of proposals) ends[tradeId] = (await network.view(proposal)).state.phase;
  });
  log.push(...Object.entries(ends).map(([tradeId, phase]) => `${tradeId} ${phase}`));
  return { log, ends };
}

async function untilEnded(
  network: InProcessNetwork,
  time: VirtualTime,
  faults: Faults,
  proposals: readonly Hash[],
): Promise<void> {
  const end = time.now() + END_MS;
  for (const proposal of proposals) {
    // Whoever was still starting when the faults stopped needs a moment.
    while (time.now() < end && network.organisations.some((organisation) => network.state(organisation) !== 'runs')) {
      faults.pass();
      await time.pass(STEP_MS);
    }
    await network.until(proposal, ['settled', 'cancelled', 'rejected'], Math.max(0, end - time.now()));
  }
}

/** Writes down every block, and in the end what each system did. */
function record(network: InProcessNetwork, write: (line: string) => void): AsyncDisposable {
  const stop = new AbortController();
  const following = (async () => {
    for await (const { block, transaction, events } of network.ledger.events(0, stop.signal)) {
      for (const { tradeId, sequence, phase, head } of events)
        write(`block ${block} ${transaction} ${tradeId} ${sequence} ${phase} ${head}`);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      for (const system of network.systems.values()) write(`${system.system} ${hashOf(system.history())}`);
    },
  };
}
