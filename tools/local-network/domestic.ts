import { BackOffice, type StepOutcome } from '@stand-in/back-office';
import type { NetworkDefinition } from '@linkspan/protocol';
import type { Changes } from './changes.ts';
import { type Layout, urlOf } from './layout.ts';
import type { Sample } from './samples.ts';

/** How the back office of the participants reaches the connected systems. */
export type DomesticAccess = {
  readonly [system: string]: { readonly url: string; readonly secretOf: (client: string) => string };
};

export function domesticAccess(
  definition: NetworkDefinition,
  layout: Layout,
  secretOf: (system: string, client: string) => string,
): DomesticAccess {
  const web = definition.systems.filter((system) => system.kind === 'web-api');
  return Object.fromEntries(
    web.map(({ id }) => [id, { url: urlOf(layout, id), secretOf: (client) => secretOf(id, client) }]),
  );
}

/** `afterwards` is done when a sample has been judged; what parties owe each other is refunded then, as people would. */
const AFTERWARDS = 'afterwards';
const AT_ONCE = 'at once';

export type Domestic = {
  /** What is done before anything is lodged. */
  begin(): Promise<void>;
  /** Resolves when the steps that wait for operations are done, or the signal fires. */
  follow(tradeId: string, signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
};

/** The participants of a sample, who see what anybody sees: operations that take effect. Their other moments are `at once` and `afterwards`. */
export function openDomestic(
  plan: Sample['domestic'],
  access: DomesticAccess,
  changes: Changes,
  say: (line: string) => void,
): Domestic {
  const system = plan && access[plan.system];
  if (!plan) return { begin: async () => undefined, follow: async () => undefined, end: async () => undefined };
  if (!system) throw new Error(`domestic.json names ${plan.system}, which is no system with a Web API`);
  const office = new BackOffice(plan, system);
  const at = async (moment: string): Promise<void> => {
    for (const outcome of await office.at(moment)) say(inWords(plan.system, outcome));
  };
  return {
    begin: () => at(AT_ONCE),
    follow: async (tradeId, signal) => {
      const waiting = office.moments.filter((moment) => moment !== AT_ONCE && moment !== AFTERWARDS);
      await Promise.all(
        waiting.map(async (operation) => {
          const seen = await changes.takesEffect(tradeId, operation, signal);
          if (seen) await at(operation);
        }),
      );
    },
    end: () => at(AFTERWARDS),
  };
}

function inWords(system: string, { step, done, detail }: StepOutcome): string {
  const what =
    step.do === 'pay'
      ? `pays ${step.amount} ${step.asset} to ${step.to}`
      : `lodges the domestic DvP${step.hold ? ' on hold' : ''}`;
  return `${system}: ${step.by} ${what}${done ? '' : ` - refused: ${detail}`}${done && detail !== '' ? ` (${detail})` : ''}`;
}
