import { ENDPOINTS } from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS, standing } from '../act.ts';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { findSettlement } from '../find-settlement.ts';

export const retract: Command = {
  name: 'retract',
  usage: 'ID',
  summary: "take this organisation's copy back while nothing has begun",
  arguments: [1, 1],
  options: ACTING_OPTIONS,
  completes: { positionals: [() => 'settlement'] },
  help: [
    'ID is a trade id, a proposal id, or the beginning of one (8 digits or more).',
    'The proposal ends, and its trade id is free again. Once both sides have matched, use `linkspan cancel`.',
    '',
    ...ACTING_HELP,
    '',
    'Examples:',
    '  linkspan retract 2026-AB-000317',
  ],
  async run(invocation) {
    const { api, terminal, positionals } = invocation;
    const found = await findSettlement(api, positionals[0] ?? '', '', answer(ENDPOINTS.settlement.answer));
    if (!found.ok) return found;
    const path = ENDPOINTS.retract.path.replace(':id', found.value.id);
    const retracted = await act(invocation, path, undefined, answer(ENDPOINTS.retract.answer));
    if (!retracted.ok) return retracted;
    return { ok: true, value: { document: retracted.value, lines: [standing(terminal, retracted.value)] } };
  },
};
