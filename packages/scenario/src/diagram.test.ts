import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readScenario } from '@linkspan/testkit';
import { diagram, scenarioReferencePage } from './diagram.ts';
import { validate } from './validate.ts';

const SCENARIOS = new URL('../../../scenarios/', import.meta.url);
const PAGE = new URL('../../../docs/reference/scenarios.md', import.meta.url);
const documents = readdirSync(SCENARIOS).toSorted().map(readScenario);

test('every scenario keeps the rules of the language', () => {
  for (const document of documents) assert.deepEqual(validate(document), [], document.name);
});

test('the reference page is what the documents and the table say now', () => {
  const page = scenarioReferencePage(documents);
  assert.equal(
    readFileSync(PAGE, 'utf8'),
    page,
    'docs/reference/scenarios.md is stale: write scenarioReferencePage there',
  );
});

test('with the decision on the ledger there is no phase in which a system decides', () => {
  const drawn = diagram(readScenario('dvp-buyer-overseas'));
  assert.match(drawn, /^ {2}preparing --> committed : prepare effective \[pivot-is-ledger\]$/m);
  assert.doesNotMatch(drawn, /deciding|pivot (effective|dead)/);
});

test('with an awaited pivot the system decides, and its death aborts', () => {
  const drawn = diagram(readScenario('dvp-buyer-overseas-report'));
  assert.match(drawn, /^ {2}preparing --> deciding : prepare effective$/m);
  assert.match(drawn, /^ {2}deciding --> committed : pivot effective$/m);
  assert.match(drawn, /^ {2}deciding --> aborting : pivot dead$/m);
  assert.match(drawn, /await dvp in csd/);
  assert.doesNotMatch(drawn, /preparing --> committed/);
});

test('every phase that is entered is left, unless it is an end', () => {
  for (const document of documents) {
    const edges = [...diagram(document).matchAll(/^ {2}(\S+) --> (\S+)/gm)];
    const left = new Set(edges.map(([, from]) => from));
    for (const [, , to] of edges) assert.ok(to === '[*]' || left.has(to), `${document.name}: ${to} is a dead end`);
  }
});
