import { ENDPOINTS, type ScenarioBody } from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS } from '../act.ts';
import { answer, type ApiClient } from '../api-client.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { fail, isObject, type Outcome } from '../failure.ts';
import { scenarioRules } from '../scenario-rules.ts';
import { table } from '../table.ts';
import { plain, shortId, type Terminal } from '../terminal.ts';

export const scenario: Command = {
  name: 'scenario',
  usage: 'list | show REFERENCE | diagram REFERENCE | propose FILE | approve REFERENCE --hash HASH',
  summary: 'the rules under which trades settle; propose and approve them',
  arguments: [1, 2],
  options: { ...ACTING_OPTIONS, hash: { type: 'string' } },
  completes: {
    positionals: [
      () => ['list', 'show', 'diagram', 'propose', 'approve'],
      ([what]) => (what === 'propose' ? 'file' : what === 'list' ? [] : 'scenario'),
    ],
  },
  help: [
    'list      every scenario that was proposed, with the organisations that approved it',
    'show      everything that it rules: what each party gives and gets, every operation with its accounts, amount and conditions, the',
    '          deadlines, what may be left open with whom, and the ends',
    'diagram   every course that a settlement can take, as a Mermaid state diagram',
    'propose   a scenario document, as JSON, for all organisations that it needs to approve',
    'approve   for this organisation the document with this hash and no other; read it first, by show',
    '',
    'REFERENCE is name and version, such as dvp-buyer-overseas@1.',
    '',
    ...ACTING_HELP,
    '',
    'Examples:',
    '  linkspan scenario list',
    '  linkspan scenario show dvp-buyer-overseas@1',
    '  linkspan scenario diagram dvp-buyer-overseas@1 > diagram.mmd',
    '  linkspan scenario propose scenario.json',
    '  linkspan scenario approve dvp-buyer-overseas@2 --hash sha256:4b1f… --organisation csd-b',
  ],
  async run(invocation) {
    const {
      positionals: [what = '', reference],
      terminal,
      api,
    } = invocation;
    if (what === 'propose' && reference !== undefined) return propose(invocation, reference);
    if (what === 'approve' && reference !== undefined) return approve(invocation, reference);
    if (what === 'list' && reference === undefined) return list(terminal, api);
    if ((what !== 'show' && what !== 'diagram') || reference === undefined)
      return fail('request-invalid', `Usage: linkspan scenario ${scenario.usage}. More: linkspan help scenario`);
    const path = ENDPOINTS.scenario.path.replace(':reference', encodeURIComponent(reference));
    const found = await api.get(path, answer(ENDPOINTS.scenario.answer));
    if (!found.ok) return found;
    if (what === 'show') return { ok: true, value: { document: found.value, lines: scenarioLines(found.value) } };
    const { diagram } = found.value;
    return { ok: true, value: { document: { reference, diagram }, lines: diagram.trimEnd().split('\n').map(plain) } };
  },
};

async function propose(invocation: Invocation, file: string): Promise<Outcome<Shown>> {
  const text = invocation.readInput(file);
  if (!text.ok) return fail('request-invalid', 'Name a file with a scenario document as JSON.', text.failure.title);
  const document = parseJson(text.value);
  if (!isObject(document)) return fail('json-malformed', 'A scenario is a JSON object.', `${file} is no scenario`);
  return registerScenario(
    invocation,
    { type: 'propose-scenario', document },
    'is proposed; every organisation that it needs must approve it',
  );
}

/** Whoever approves names the hash of what was read: another document under the same name is not approved with it. */
async function approve(invocation: Invocation, reference: string): Promise<Outcome<Shown>> {
  const { options, api } = invocation;
  const path = ENDPOINTS.scenario.path.replace(':reference', encodeURIComponent(reference));
  const found = await api.get(path, answer(ENDPOINTS.scenario.answer));
  if (!found.ok) return found;
  const { hash } = found.value;
  if (options['hash'] !== hash)
    return fail(
      'request-invalid',
      `Read it by linkspan scenario show ${reference}, and if it is right, approve it with --hash ${hash}`,
      'Say which document you approve',
    );
  return registerScenario(
    invocation,
    { type: 'approve-scenario', scenario: reference, hash },
    'is approved by this organisation',
  );
}

async function registerScenario(invocation: Invocation, body: object, words: string): Promise<Outcome<Shown>> {
  const { path, answer: schema } = ENDPOINTS.register;
  const registered = await act(invocation, path, body, answer(schema));
  if (!registered.ok) return registered;
  const what =
    'scenario' in registered.value
      ? `${registered.value.scenario} (${shortId(registered.value.hash)})`
      : registered.value.id;
  return { ok: true, value: { document: registered.value, lines: [plain(`${what} ${words}.`)] } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function list(terminal: Terminal, api: ApiClient): Promise<Outcome<Shown>> {
  const found = await api.get(ENDPOINTS.scenarios.path, answer(ENDPOINTS.scenarios.answer));
  if (!found.ok) return found;
  const rows = found.value.scenarios.map(({ reference, hash, proposedBy, approvals }) => {
    return [reference, shortId(hash), proposedBy, approvals.join(', ')];
  });
  const columns = [
    { title: 'scenario' },
    { title: 'hash' },
    { title: 'proposed by' },
    { title: 'approved by', cut: true },
  ] as const;
  return {
    ok: true,
    value: { document: found.value, lines: rows.length === 0 ? ['There is none.'] : table(terminal, columns, rows) },
  };
}

function scenarioLines({ reference, hash, approvals, document }: ScenarioBody): string[] {
  const head = [reference, `hash ${hash}`, `approved by ${approvals.join(', ')}`, ''];
  return [...head, ...scenarioRules(document)].map(plain);
}
