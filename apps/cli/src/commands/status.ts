import { ENDPOINTS, REASONS, type SettlementBody, type Terms } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { findSettlement } from '../find-settlement.ts';
import { peoplesWord } from '../peoples-word.ts';
import { phaseColour } from '../phase-colour.ts';
import { type Cell, table } from '../table.ts';
import { type Colour, grouped, paint, plain, shortId, shortTime, type Terminal } from '../terminal.ts';

export const status: Command = {
  name: 'status',
  usage: 'ID',
  summary: 'where a settlement stands, and what it waits for',
  arguments: [1, 1],
  options: {},
  completes: { positionals: [() => 'settlement'] },
  help: [
    'ID is a trade id, a settlement or proposal id, or the beginning of one (8 digits or more).',
    '',
    'Shows the phase, who has lodged, fields in which the copies differ, every operation with its amount and outcome, who has asked to',
    'cancel and how many persons have said what became of an operation while that waits for others, the decision with its signatures, what stays open at the end (who has it, and whom they owe it), and whatever needs people to look at it.',
    '',
    'Examples:',
    '  linkspan status 2026-AB-000317',
    '  linkspan status 4b1f5a9e3c0d --json',
  ],
  async run({ positionals: [id = ''], terminal, api }) {
    const found = await findSettlement(api, id, '', answer(ENDPOINTS.settlement.answer));
    if (!found.ok) return found;
    return { ok: true, value: { document: found.value, lines: settlementLines(terminal, found.value) } };
  },
};

function settlementLines(terminal: Terminal, body: SettlementBody): string[] {
  const facts: (readonly [string, string])[] = [
    ['phase', paint(terminal, phaseColour(body.phase), body.phase)],
    ['id', body.id],
    ['scenario', plain(body.scenario.reference)],
    ['deadline', `${shortTime(body.deadline)} UTC`],
    ['changed', `${shortTime(body.changedAt)} UTC`],
    [
      'lodged',
      body.lodgers.map((side) => `${plain(side)} ${body.lodged.includes(side) ? 'yes' : 'not yet'}`).join(', '),
    ],
    ...body.certificates.map(
      ({ kind, epoch, signatures, quorum }) =>
        [
          'signed',
          `${kind}${epoch === body.certificates[0]?.epoch ? '' : ` in epoch ${epoch}`}: ${signatures} of at least ${quorum}`,
        ] as const,
    ),
  ];
  if (body.decision) facts.push(['decision', `${body.decision.kind} - ${plain(body.decision.because)}`]);
  if (body.end !== null) facts.push(['end', plain(body.end)]);
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    paint(terminal, 'bold', plain(body.tradeId)),
    ...facts.map(([name, value]) => `  ${paint(terminal, 'dim', name.padEnd(width))}  ${value}`),
    ...section(differenceLines(terminal, body)),
    ...section(operationLines(terminal, body)),
    ...section(
      body.residuals.flatMap(({ residual, terms, words }) => [
        `left open: ${plain(residual)} ${amountOf(terms).join(' ').trim()}`,
        `  ${plain(words)}`,
      ]),
    ),
    ...section([...peoplesReasons(body), ...peoplesWord(body)].map(plain)),
    ...section(
      body.attention.map(({ operation, reason, waitingFor }) =>
        paint(
          terminal,
          'red',
          plain(`attention: ${operation === undefined ? '' : `${operation} `}${reason}, waiting for ${waitingFor}`),
        ),
      ),
    ),
  ];
}

function section(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function differenceLines(terminal: Terminal, { differences }: SettlementBody): string[] {
  if (differences.length === 0) return [];
  const sides = [...new Set(differences.flatMap(({ values }) => Object.keys(values)))];
  const columns = [{ title: 'differs' }, ...sides.map((side) => ({ title: plain(side), cut: true }) as const)];
  return table(
    terminal,
    columns,
    differences.map(({ path, values }) => [path, ...sides.map((side) => values[side] ?? '')]),
  );
}

const STATUS_COLOURS: Readonly<Record<SettlementBody['operations'][number]['status'], Colour>> = {
  requested: 'yellow',
  effective: 'green',
  irregular: 'red',
  dead: 'red',
};

function operationLines(terminal: Terminal, { operations }: SettlementBody): string[] {
  if (operations.length === 0) return [];
  const columns = [
    { title: 'operation', cut: true },
    { title: 'system', cut: true },
    { title: 'verb' },
    { title: 'amount', align: 'right' },
    { title: 'of' },
    { title: 'outcome' },
    { title: 'transaction', cut: true },
  ] as const;
  const rows = operations.map((operation): Cell[] => {
    const { name, system, verb, attempt, terms, transaction } = operation;
    return [
      attempt > 1 ? `${name} (${attempt})` : name,
      system,
      verb,
      ...amountOf(terms),
      { text: outcomeOf(operation), colour: STATUS_COLOURS[operation.status] },
      shortId(transaction),
    ];
  });
  return table(terminal, columns, rows);
}

function outcomeOf({ status, fenced, reason, byPeople }: SettlementBody['operations'][number]): string {
  if (status === 'requested') return fenced ? 'being fenced' : 'asked';
  // Their reason may be long; it has a line of its own.
  if (byPeople) return `${status} by people`;
  if (reason === '') return status;
  return `${status}: ${REASONS[reason] ?? reason}`;
}

function peoplesReasons({ operations }: SettlementBody): string[] {
  return operations.flatMap(({ name, status, byPeople, reason }) =>
    byPeople ? [`${name} is ${status} by people's word: ${reason}`] : [],
  );
}

/** The amount and what it is of. */
function amountOf({ amount, currency, quantity, isin }: Terms): [string, string] {
  return [grouped(amount ?? quantity ?? ''), currency ?? isin ?? ''];
}
