import { ENDPOINTS, type EntryBody } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { findSettlement } from '../find-settlement.ts';
import { table } from '../table.ts';
import { shortTime } from '../terminal.ts';

export const history: Command = {
  name: 'history',
  usage: 'ID',
  summary: 'everything that happened to a settlement, oldest first',
  arguments: [1, 1],
  options: {},
  completes: { positionals: [() => 'settlement'] },
  help: [
    'ID is a trade id, a settlement or proposal id, or the beginning of one (8 digits or more).',
    '',
    'Each entry is one accepted call on the ledger: its number, its time on the ledger, the organisation that made it, and what',
    'changed by it. With --json the entries carry their hashes, so that the chain can be checked.',
    '',
    'Examples:',
    '  linkspan history 2026-AB-000317',
    '  linkspan history 2026-AB-000317 --json',
  ],
  async run({ positionals: [id = ''], terminal, api }) {
    const entries: EntryBody[] = [];
    let settlement = id;
    for (let after = 0; ;) {
      const page = await findSettlement(
        api,
        settlement,
        `/history?limit=500&after=${after}`,
        answer(ENDPOINTS.history.answer),
      );
      if (!page.ok) return page;
      entries.push(...page.value.entries);
      settlement = page.value.id;
      if (page.value.next === null) break;
      after = page.value.next;
    }
    const columns = [
      { title: '#', align: 'right' },
      { title: 'time (UTC)' },
      { title: 'by', cut: true },
      { title: 'what', cut: true },
    ] as const;
    const rows = entries.flatMap(({ sequence, time, by, words }) =>
      words.map((line, i) =>
        i === 0 ? [String(sequence), shortTime(time), by.organisation, line] : ['', '', '', line],
      ),
    );
    return { ok: true, value: { document: { id: settlement, entries }, lines: table(terminal, columns, rows) } };
  },
};
