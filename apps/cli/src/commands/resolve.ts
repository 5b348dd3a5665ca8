import { ENDPOINTS, type SettlementBody } from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS, standing } from '../act.ts';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { fail, type Outcome } from '../failure.ts';
import { findSettlement } from '../find-settlement.ts';
import { isOpen, personsSaying } from '../peoples-word.ts';
import { plain } from '../terminal.ts';

export const resolve: Command = {
  name: 'resolve',
  usage: 'ID OPERATION effective|dead --why TEXT',
  summary: 'say what became of an operation that validators cannot tell about',
  arguments: [3, 3],
  options: { ...ACTING_OPTIONS, why: { type: 'string' } },
  completes: { positionals: [() => 'settlement', () => 'operation', () => ['effective', 'dead']] },
  help: [
    'ID is a trade id or a settlement id, OPERATION one of its operations by name or id, as `linkspan status` shows them.',
    'Look into the system itself first. The word of one person is noted in the history; the operation has its outcome when two persons of',
    'every organisation that owns a system of the settlement say the same.',
    '',
    '  --why TEXT    what you have seen, for the history (at most 280 characters)',
    ...ACTING_HELP,
    '',
    'Examples:',
    "  linkspan resolve 2026-AB-000317 deliver/bond effective --why 'seen in the books of the CSD' --as second-operator",
  ],
  async run(invocation) {
    const { api, terminal, options, positionals } = invocation;
    const [id = '', name = '', status = ''] = positionals;
    if (status !== 'effective' && status !== 'dead') return fail('request-invalid', 'Say effective or dead.');
    const { why } = options;
    if (typeof why !== 'string' || why === '') return fail('request-invalid', 'Say --why: what have you seen?');
    const found = await findSettlement(api, id, '', answer(ENDPOINTS.settlement.answer));
    if (!found.ok) return found;
    const operation = operationOf(found.value, name);
    if (!operation.ok) return operation;
    const path = ENDPOINTS.resolve.path.replace(':id', found.value.id);
    const said = await act(
      invocation,
      path,
      { operation: operation.value, status, why },
      answer(ENDPOINTS.resolve.answer),
    );
    if (!said.ok) return said;
    const after = await api.get(
      ENDPOINTS.settlement.path.replace(':id', found.value.id),
      answer(ENDPOINTS.settlement.answer),
    );
    const what = after.ok ? whatCame(after.value, operation.value, status) : 'Noted.';
    return { ok: true, value: { document: said.value, lines: [`${standing(terminal, said.value)} ${what}`] } };
  },
};

/** Whether the word decided or waits for others. */
function whatCame(body: SettlementBody, id: string, status: 'effective' | 'dead'): string {
  const operation = body.operations.find((each) => each.id === id);
  if (operation && !isOpen(operation)) return `${plain(operation.name)} is ${operation.status} now.`;
  const count = personsSaying(body, id, status);
  return `Noted. It counts when two persons of every organisation concerned say the same; ${count} do.`;
}

/** The id of an operation by its name, of which the last attempt counts, or by its id or the beginning of it. */
function operationOf({ tradeId, operations }: SettlementBody, name: string): Outcome<string> {
  const digits = name.replace(/^sha256:/, '');
  const byId = digits.length < 8 ? [] : operations.filter(({ id }) => id.startsWith(`sha256:${digits}`));
  const named = operations.filter((each) => each.name === name).toSorted((a, b) => b.attempt - a.attempt);
  const found = named[0] ?? (byId.length === 1 ? byId[0] : undefined);
  if (found) return { ok: true, value: found.id };
  const names = [...new Set(operations.map((each) => each.name))].join(', ');
  return fail('not-found', `${tradeId} has ${names || 'no operations yet'}.`, `There is no operation ${name}`);
}
