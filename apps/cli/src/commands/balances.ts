import { type BalancesBody, ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command, NamedApi } from '../command.ts';
import type { Outcome } from '../failure.ts';
import { type Cell, table } from '../table.ts';
import { grouped, paint, plain, type Terminal } from '../terminal.ts';

export const balances: Command = {
  name: 'balances',
  usage: '',
  summary: 'positions in the connected systems: balance, held, free',
  arguments: [0, 0],
  options: {},
  help: [
    'Asks every organisation of the profile for the positions in its own systems, as their validators read them; with',
    '--organisation or --api only that one. "held" is earmarked by holds of open settlements; "free" is what is left.',
    'A system that gives no answer is named below the table, and so is an organisation.',
    '',
    'Examples:',
    '  linkspan balances',
    '  linkspan balances --organisation central-bank-b --json',
  ],
  async run({ terminal, apis }) {
    const { path, answer: schema } = ENDPOINTS.balances;
    const asked = await Promise.all(
      apis.map(async (one) => ({ one, answered: await one.api.get(path, answer(schema)) })),
    );
    const failures = asked.flatMap(({ one, answered }) =>
      answered.ok ? [] : [{ ...answered.failure, title: `${one.name}: ${answered.failure.title}` }],
    );
    const document = {
      organisations: asked.map(({ one, answered }) => ({
        organisation: one.organisation,
        ...(answered.ok ? answered.value : { problem: answered.failure.title }),
      })),
    };
    return { ok: true, value: { document, lines: balanceLines(terminal, asked), failures } };
  },
};

const COLUMNS = [
  { title: 'system' },
  { title: 'account', cut: true },
  { title: 'party', cut: true },
  { title: 'asset' },
  { title: 'balance', align: 'right' },
  { title: 'held', align: 'right' },
  { title: 'free', align: 'right' },
] as const;

type Position = BalancesBody['systems'][number]['positions'][number];

function byAccount(a: Position, b: Position): number {
  if (a.account === b.account) return a.asset < b.asset ? -1 : 1;
  return a.account < b.account ? -1 : 1;
}

type Asked = { readonly one: NamedApi; readonly answered: Outcome<BalancesBody> };

function balanceLines(terminal: Terminal, asked: readonly Asked[]): string[] {
  const systems = asked.flatMap(({ answered }) => (answered.ok ? answered.value.systems : []));
  const rows = systems.flatMap(({ system, positions }) =>
    positions.toSorted(byAccount).map(({ account, party, asset, balance, held, free }): Cell[] => {
      const own = account.startsWith(`${system}:`) ? account.slice(system.length + 1) : account;
      return [system, own, party ?? '', asset, grouped(balance), grouped(held), grouped(free)];
    }),
  );
  const silent = systems.flatMap(({ system, problem }) =>
    problem === null ? [] : [paint(terminal, 'red', plain(`${system}: ${problem}`))],
  );
  return [...(rows.length > 0 ? table(terminal, COLUMNS, rows) : []), ...silent];
}
