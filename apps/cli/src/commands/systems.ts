import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { table } from '../table.ts';

export const systems: Command = {
  name: 'systems',
  usage: '',
  summary: 'the connected systems, who owns them and who speaks for them',
  arguments: [0, 0],
  options: {},
  help: [
    'Under "validators" stands how many of them must agree before an outcome counts, and of how many. With --json: their keys, what each',
    'system promises, and its opening times.',
    '',
    'Examples:',
    '  linkspan systems',
  ],
  async run({ terminal, api }) {
    const found = await api.get(ENDPOINTS.systems.path, answer(ENDPOINTS.systems.answer));
    if (!found.ok) return found;
    const rows = found.value.systems.map(({ id, name, owner, kind, types, validators, finality }) => {
      return [
        id,
        name,
        owner,
        kind,
        types.join(', '),
        `${validators.threshold} of ${validators.keys.length}`,
        finality,
      ];
    });
    return {
      ok: true,
      value: { document: found.value, lines: rows.length === 0 ? ['There is none.'] : table(terminal, COLUMNS, rows) },
    };
  },
};

const COLUMNS = [
  { title: 'system' },
  { title: 'name', cut: true },
  { title: 'owner', cut: true },
  { title: 'kind' },
  { title: 'keeps' },
  { title: 'validators' },
  { title: 'final', cut: true },
] as const;
