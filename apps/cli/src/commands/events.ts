import type { Command } from '../command.ts';
import { followEvents } from '../event-source.ts';
import { fail } from '../failure.ts';

export const events: Command = {
  name: 'events',
  usage: '[--from BLOCK] [--limit N]',
  summary: 'every change as a JSON document in a line, for programs',
  arguments: [0, 0],
  options: { from: { type: 'string' }, limit: { type: 'string' } },
  help: [
    'The stream of the API, line by line: what one accepted call changed, with `changes` for programs and `words` for people. A connection',
    'that breaks is made again and goes on where it was. It goes on until Ctrl-C.',
    '',
    '  --from BLOCK  begin after this block of the ledger, 0 for the first; without it with what happens from now on',
    '  --limit N     end after so many changes',
    '',
    'Examples:',
    '  linkspan events',
    '  linkspan events --from 0 --limit 10',
  ],
  async run({ options, api, terminal, untilInterrupted }) {
    const { from, limit = '' } = options;
    if (from !== undefined && !/^[0-9]{1,15}$/.test(String(from)))
      return fail('request-invalid', '--from is the number of a block.');
    if (limit !== '' && !/^[1-9][0-9]{0,8}$/.test(String(limit)))
      return fail('request-invalid', 'The limit is a whole number from 1 on.');
    const enough = new AbortController();
    const signal = AbortSignal.any([untilInterrupted(), enough.signal]);
    let left = limit === '' ? Infinity : Number(limit);
    for await (const heard of followEvents(api, from === undefined ? undefined : Number(from), signal)) {
      if (heard.what === 'refused') return { ok: false, failure: heard.failure };
      if (heard.what === 'lost') terminal.error('connection lost, trying again');
      if (heard.what !== 'change') continue;
      terminal.out(JSON.stringify(heard.change.document));
      left -= 1;
      if (left <= 0) break;
    }
    enough.abort();
    return { ok: true, value: { document: undefined, lines: [] } };
  },
};
