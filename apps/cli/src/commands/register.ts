import { ENDPOINTS } from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS } from '../act.ts';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { fail, isObject } from '../failure.ts';
import { plain, shortId } from '../terminal.ts';

export const register: Command = {
  name: 'register',
  usage: 'FILE',
  summary: 'register systems, parties, accounts and instruments',
  arguments: [1, 1],
  options: ACTING_OPTIONS,
  completes: { positionals: [() => 'file'] },
  help: [
    'FILE is a registration as JSON, or a list of them, or - for standard input. What the organisation itself may not register is refused;',
    'what is registered with the same content already is no change. Its forms:',
    '  {"type":"register-system","system":{…}}           {"type":"register-party","party":{…}}',
    '  {"type":"register-account","account":{…}}         {"type":"register-instrument","instrument":{…}}',
    'docs/reference/api.md has every field. Scenarios: linkspan help scenario.',
    '',
    ...ACTING_HELP,
    'With a list, the key of each is this one with its place in the list.',
    '',
    'Examples:',
    '  linkspan register party.json --organisation central-bank-a',
    '  linkspan register accounts.json --key 2026-11-24-accounts',
  ],
  async run(invocation) {
    const { positionals, readInput, options } = invocation;
    const [file = ''] = positionals;
    const text = readInput(file);
    if (!text.ok)
      return fail(
        'request-invalid',
        'Name a file with registrations as JSON, or - for standard input.',
        text.failure.title,
      );
    const read = parseJson(text.value);
    const bodies: readonly unknown[] = Array.isArray(read) ? read : [read];
    if (!bodies.every(isObject) || bodies.length === 0)
      return fail(
        'json-malformed',
        'A registration is a JSON object, and several are a list of them.',
        `${file} is no registration`,
      );
    const done: object[] = [];
    const lines: string[] = [];
    for (const [i, body] of bodies.entries()) {
      if (!isObject(body)) continue;
      const { key } = options;
      const own = bodies.length > 1 && typeof key === 'string' ? { ...options, key: `${key} ${i + 1}` } : options;
      const registered = await act(
        { ...invocation, options: own },
        ENDPOINTS.register.path,
        body,
        answer(ENDPOINTS.register.answer),
      );
      if (!registered.ok) {
        const { failure } = registered;
        const place =
          bodies.length > 1 ? `${failure.title}, in registration ${i + 1} of ${bodies.length}` : failure.title;
        return { ok: true, value: { document: { registered: done }, lines, failures: [{ ...failure, title: place }] } };
      }
      done.push(registered.value);
      const what = 'id' in registered.value ? registered.value.id : registered.value.scenario;
      const hash = 'hash' in registered.value ? ` (${shortId(registered.value.hash)})` : '';
      lines.push(plain(`${String(body['type']).replace(/^register-/, '')} ${what}${hash} is registered`));
    }
    return { ok: true, value: { document: { registered: done }, lines } };
  },
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
