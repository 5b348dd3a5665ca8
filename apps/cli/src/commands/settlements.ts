import { ENDPOINTS, PHASES, type SettlementSummaryBody } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import { checkPeriod } from '../check-period.ts';
import type { Command, Options } from '../command.ts';
import { fail } from '../failure.ts';
import { phaseColour } from '../phase-colour.ts';
import { type Cell, table } from '../table.ts';
import { shortId, shortTime } from '../terminal.ts';

export const settlements: Command = {
  name: 'settlements',
  usage: '[--phase PHASE] [--party LEI] [--system ID] [--from INSTANT] [--to INSTANT] [--limit N | --all]',
  summary: 'settlements and proposals, newest first',
  arguments: [0, 0],
  options: {
    phase: { type: 'string' },
    party: { type: 'string' },
    system: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    limit: { type: 'string' },
    all: { type: 'boolean' },
  },
  completes: { options: { phase: PHASES, system: 'system' } },
  help: [
    `  --phase PHASE  only those in one phase: ${PHASES.join(', ')}`,
    '  --party LEI    only those with this party',
    '  --system ID    only those with an account in this system',
    '  --from, --to   only those opened from one instant until before another, such as 2026-11-24T00:00:00Z',
    '  --limit N      at most so many (20 without it)',
    '  --all          every one that fits, however many there are',
    '',
    'A number under "attention" says how many things people should look at; `linkspan status` names them.',
    '',
    'Examples:',
    '  linkspan settlements',
    '  linkspan settlements --phase preparing --limit 100',
    '  linkspan settlements --phase settled --all --json',
    '  linkspan settlements --system rtgs --from 2026-11-24T00:00:00Z',
  ],
  async run({ options, terminal, api }) {
    const { phase, limit = String(DEFAULT_LIMIT) } = options;
    const known = PHASES.find((each) => each === phase);
    if (phase !== undefined && known === undefined)
      return fail('request-invalid', `A phase is one of ${PHASES.join(', ')}.`);
    if (typeof limit !== 'string' || !/^[1-9][0-9]{0,5}$/.test(limit))
      return fail('request-invalid', 'The limit is a whole number from 1 to 999999.');
    if (options['all'] === true && options['limit'] !== undefined)
      return fail('request-invalid', 'Say --limit or --all, not both.');
    const badPeriod = checkPeriod(options);
    if (badPeriod) return { ok: false, failure: badPeriod };
    const wanted = options['all'] === true ? Infinity : Number(limit);
    const filter = filterOf(options);
    const found: SettlementSummaryBody[] = [];
    for (let before = ''; found.length < wanted;) {
      const size = Math.min(wanted - found.length, LARGEST_PAGE);
      const path = `${ENDPOINTS.settlements.path}?limit=${size}${filter}${before}`;
      const page = await api.get(path, answer(ENDPOINTS.settlements.answer));
      if (!page.ok) return page;
      found.push(...page.value.settlements);
      if (page.value.next === null) break;
      before = `&before=${encodeURIComponent(page.value.next)}`;
    }
    return {
      ok: true,
      value: {
        document: { settlements: found },
        lines: found.length === 0 ? ['There is none.'] : table(terminal, COLUMNS, found.map(rowOf)),
      },
    };
  },
};

/** The parameters of the API by the options that set them. */
const PARAMETERS = { phase: 'phase', party: 'party', system: 'system', from: 'openedFrom', to: 'openedTo' } as const;

function filterOf(options: Options): string {
  return Object.entries(PARAMETERS)
    .flatMap(([option, parameter]) => {
      const value = options[option];
      return typeof value === 'string' ? [`&${parameter}=${encodeURIComponent(value)}`] : [];
    })
    .join('');
}

const DEFAULT_LIMIT = 20;
const LARGEST_PAGE = 500;

const COLUMNS = [
  { title: 'trade id', cut: 'middle' },
  { title: 'id' },
  { title: 'phase' },
  { title: 'scenario', cut: true },
  { title: 'changed (UTC)' },
  { title: 'deadline (UTC)' },
  { title: 'attention', align: 'right' },
] as const;

function rowOf({ tradeId, id, phase, scenario, changedAt, deadline, attention }: SettlementSummaryBody): Cell[] {
  const alarm = attention === 0 ? '' : ({ text: String(attention), colour: 'red' } as const);
  return [
    tradeId,
    shortId(id),
    { text: phase, colour: phaseColour(phase) },
    scenario,
    shortTime(changedAt),
    shortTime(deadline),
    alarm,
  ];
}
