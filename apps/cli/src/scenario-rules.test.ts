import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, type ScenarioDocument, scenarioDocumentSchema } from '@linkspan/protocol';
import { scenarioRules } from './scenario-rules.ts';

test('whoever approves reads accounts, amounts, keys, guards, deadlines, and who is left owing what to whom', () => {
  const lines = scenarioRules(read('dvp-buyer-overseas-report'));
  for (const expected of [
    '  earmark (prepare, until /deadline)',
    '      /fcy, from /buyer/accounts/fcy to /intermediary/accounts/fcy, under the authority of /buyer',
    '    lcy: await cash-transfer in lcy',
    '      known by trade = /tradeId, from = /intermediary/accounts/lcy, to = /buyer/accounts/lcy',
    '      only with amount = /lcy',
    '      left open where it does not settle: lcy-with-buyer',
    '      what earmark/fcy holds',
    '  lcy-with-buyer: cancelled after the payment',
    '      /buyer has /lcy and owes it to /intermediary',
  ])
    assert.ok(lines.includes(expected), `${expected}\n\nin\n\n${lines.join('\n')}`);
});

test('nothing that a scenario document says is left out', () => {
  for (const name of ['dvp-buyer-overseas', 'dvp-buyer-overseas-report']) {
    const document = read(name);
    const shown = scenarioRules(document).join('\n');
    const { schema: _schema, name: _name, version: _version, ...rules } = document;
    for (const said of textsIn(rules)) assert.ok(shown.includes(said), `${name}: ${said}`);
  }
});

function read(name: string): ScenarioDocument {
  const text = readFileSync(new URL(`../../../scenarios/${name}/scenario.json`, import.meta.url), 'utf8');
  const parsed = parse(scenarioDocumentSchema, JSON.parse(text), 'internal');
  assert.ok(parsed.ok);
  return parsed.value;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
