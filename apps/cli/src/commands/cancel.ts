import { ENDPOINTS } from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS, standing } from '../act.ts';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { findSettlement } from '../find-settlement.ts';

export const cancel: Command = {
  name: 'cancel',
  usage: 'ID',
  summary: 'ask to cancel a settlement that has begun',
  arguments: [1, 1],
  options: ACTING_OPTIONS,
  completes: { positionals: [() => 'settlement'] },
  help: [
    'ID is a trade id, a settlement id, or the beginning of one (8 digits or more).',
    'It happens when every side has asked, and only until it is decided; everything that was held is released then. One asks to cancel,',
    'and approves what another has asked, with the same command.',
    '',
    ...ACTING_HELP,
    '',
    'Examples:',
    '  linkspan cancel 2026-AB-000317',
    '  linkspan cancel 2026-AB-000317 --organisation csd-b',
  ],
  async run(invocation) {
    const { api, terminal, positionals } = invocation;
    const found = await findSettlement(api, positionals[0] ?? '', '', answer(ENDPOINTS.settlement.answer));
    if (!found.ok) return found;
    const path = ENDPOINTS.cancel.path.replace(':id', found.value.id);
    const asked = await act(invocation, path, undefined, answer(ENDPOINTS.cancel.answer));
    if (!asked.ok) return asked;
    const waits = asked.value.phase === 'preparing' ? ' It is cancelled when the other side asks for it too.' : '';
    return { ok: true, value: { document: asked.value, lines: [standing(terminal, asked.value) + waits] } };
  },
};
