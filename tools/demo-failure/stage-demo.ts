import { apiOf } from '../local-network/api.ts';
import { CannotRun } from '../local-network/cannot-run.ts';
import { Changes } from '../local-network/changes.ts';
import type { Layout } from '../local-network/layout.ts';
import { sourcesOf } from '../local-network/processes.ts';
import { readSampleFrom } from '../local-network/samples.ts';
import type { Screen } from '../local-network/screen.ts';
import type { Supervisor } from '../local-network/supervisor.ts';
import { clientSecret } from '../local-network/write-files.ts';
import { dvpInstructionSchema, type NetworkDefinition } from '@linkspan/protocol';
import { type Leg, minorUnits } from '../torture/facts.ts';
import type { Books } from './books.ts';
import type { DemoStage, DemoTrade } from './run-demo.ts';

/** The sample that the demonstration repeats, with its deadline moved; its instants are so many seconds from the time that is filled in. */
const SAMPLE = '01-settled';
const DEADLINE_IN_SAMPLE_MS = 60_000;

/** Everything that the demonstration needs of a network that runs. */
export function stageDemo({
  definition,
  layout,
  screen,
  supervisor,
  samples,
}: {
  readonly definition: NetworkDefinition;
  readonly layout: Layout;
  readonly screen: Screen;
  readonly supervisor: Supervisor;
  readonly samples: string;
}): DemoStage {
  const run = `d${Date.now().toString(36)}`;
  const [first, , other] = definition.organisations.map(({ id }) => apiOf(layout, id));
  if (!first || !other) throw new Error('the local network has three organisations');
  const changes = new Changes(first, (change) => {
    if (change.tradeId.startsWith(`${run}-`)) screen.change(change);
  });
  const names = new Map(definition.parties.map(({ lei, name }) => [lei, name]));
  return {
    first,
    other,
    changes,
    supervisor,
    screen,
    books: booksOf(definition, layout),
    parties: new Map(definition.accounts.map(({ id, party }) => [id, names.get(party) ?? party])),
    trade: (name, deadlineInMs) => tradeFrom(samples, `${run}-${name}`, deadlineInMs),
  };
}

function booksOf(definition: NetworkDefinition, layout: Layout): Books {
  const { registers, chains } = sourcesOf(definition, layout, (system, client) => clientSecret(layout, system, client));
  const [chain] = Object.entries(chains);
  if (!chain) throw new Error('the local network has a chain');
  const [system, { rpcUrl, token, holders }] = chain;
  return {
    registers: Object.entries(registers).map(([id, register]) => ({ system: id, ...register })),
    chain: { system, url: rpcUrl, token, asset: 'USD', holders },
  };
}

function tradeFrom(samples: string, tradeId: string, deadlineInMs: number): DemoTrade {
  const { instruction } = readSampleFrom(samples, SAMPLE, tradeId, Date.now() + deadlineInMs - DEADLINE_IN_SAMPLE_MS);
  const parsed = dvpInstructionSchema.safeParse({ ...instruction, tradeId });
  if (!parsed.success) throw new CannotRun(`The sample ${SAMPLE} is no instruction of the form dvp/1.`);
  const { fcy, lcy, security, buyer, seller, intermediary } = parsed.data;
  const legs = [
    leg(buyer.accounts.fcy, intermediary.accounts.fcy, fcy.currency, minorUnits(fcy.amount, 2)),
    leg(seller.accounts.security, buyer.accounts.security, security.isin, minorUnits(security.quantity, 0)),
    leg(intermediary.accounts.lcy, seller.accounts.lcy, lcy.currency, minorUnits(lcy.amount, 0)),
  ];
  return { tradeId, instruction: parsed.data, legs };
}

function leg(from: string, to: string, asset: string, amount: bigint): Leg {
  const local = (account: string): string => account.slice(account.indexOf(':') + 1);
  return { system: from.slice(0, from.indexOf(':')), from: local(from), to: local(to), asset, amount };
}
