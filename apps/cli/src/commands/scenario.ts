import { ENDPOINTS, type ScenarioBody } from '@linkspan/protocol';
import { answer, type ApiClient } from '../api-client.ts';
import type { Command, Shown } from '../command.ts';
import { fail, type Outcome } from '../failure.ts';
import { table } from '../table.ts';
import { plain, shortId, type Terminal } from '../terminal.ts';

export const scenario: Command = {
  name: 'scenario',
  usage: 'list | show REFERENCE | diagram REFERENCE',
  summary: 'the rules under which trades settle',
  arguments: [1, 2],
  options: {},
  help: [
    'list      every scenario that was proposed, with the organisations that approved it',
    'show      what each party gives and gets, the stages with their operations, what may be left open, and the ends',
    'diagram   every course that a settlement can take, as a Mermaid state diagram',
    '',
    'REFERENCE is name and version, such as dvp-buyer-overseas@1.',
    '',
    'Examples:',
    '  linkspan scenario list',
    '  linkspan scenario show dvp-buyer-overseas@1',
    '  linkspan scenario diagram dvp-buyer-overseas@1 > diagram.mmd',
  ],
  async run({ positionals: [what = '', reference], terminal, api }) {
    if (what === 'list' && reference === undefined) return list(terminal, api);
    if ((what !== 'show' && what !== 'diagram') || reference === undefined)
      return fail('request-invalid', 'Say list, show REFERENCE or diagram REFERENCE. More: linkspan help scenario');
    const path = ENDPOINTS.scenario.path.replace(':reference', encodeURIComponent(reference));
    const found = await api.get(path, answer(ENDPOINTS.scenario.answer));
    if (!found.ok) return found;
    if (what === 'show') return { ok: true, value: { document: found.value, lines: scenarioLines(found.value) } };
    const { diagram } = found.value;
    return { ok: true, value: { document: { reference, diagram }, lines: diagram.trimEnd().split('\n').map(plain) } };
  },
};

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
  const stages = document.stages.flatMap((stage) => [`  ${stage.name} (${stage.stage})`, ...operationsIn(stage)]);
  const residuals = Object.entries(document.residuals).map(([name, { why }]) => `  ${name}: ${why}`);
  return [
    `${reference}  ${shortId(hash)}`,
    `approved by ${approvals.join(', ')}`,
    '',
    'exchange',
    ...document.exchange.map(({ party, gives, gets }) => `  ${party} gives ${gives} and gets ${gets}`),
    '',
    'stages',
    ...stages,
    ...(residuals.length === 0 ? [] : ['', 'may be left open', ...residuals]),
    '',
    'ends',
    ...Object.entries(document.ends).map(([end, words]) => `  ${end}: ${words}`),
  ].map(plain);
}

function operationsIn(stage: ScenarioBody['document']['stages'][number]): string[] {
  if ('pivot' in stage) return ['    the ledger decides'];
  const operations = 'operation' in stage ? [[stage.name, stage.operation] as const] : Object.entries(stage.operations);
  return operations.map(([name, { system, verb }]) => `    ${name}: ${verb} in ${system}`);
}
