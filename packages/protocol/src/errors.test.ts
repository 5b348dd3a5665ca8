import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERRORS, PROBLEMS, REASONS } from './errors.ts';
import { PARSE_PROBLEM_CODES } from './parsed.ts';
import { Broken, Fault, invariant, problem, problemDetails } from './refusal.ts';

const root = new URL('../../../', import.meta.url);

test('every code of the tables is used somewhere in the product', () => {
  const sources = ['packages', 'apps']
    .flatMap(sourcesBelow)
    .filter((file) => !file.endsWith('/protocol/src/errors.ts'));
  assert.ok(sources.length > 50);
  const text = sources.map((file) => readFileSync(new URL(file, root), 'utf8')).join('\n');
  const unused = [...Object.keys(ERRORS), ...Object.keys(PROBLEMS)].filter((code) => !text.includes(`'${code}'`));
  assert.deepEqual(unused, []);
});

test('every row says what it is in words that begin like a sentence, with a status and an exit code', () => {
  for (const [code, { title, status, exit, retryable }] of Object.entries(ERRORS)) {
    assert.match(code, /^[a-z][a-z-]+[a-z]$/);
    assert.match(title, /^[A-Z].*[^.]$/);
    assert.ok(status >= 400 && status <= 599, `${code}: a problem document is no answer`);
    assert.ok(exit >= 1 && exit <= 8, code);
    if (exit === 6) assert.ok(retryable, `${code} says that trying again may help`);
  }
  for (const [code, { title }] of Object.entries(PROBLEMS)) {
    assert.match(code, /^[a-z][a-z-]+[a-z]$/);
    assert.match(title, /^[A-Z].*[^.]$/);
  }
});

test('reasons are ISO 20022 codes of four letters or digits', () => {
  for (const code of [...Object.values(PROBLEMS).map(({ iso }) => iso), ...Object.keys(REASONS)])
    assert.match(code, /^[A-Z]{2}[A-Z0-9]{2}$/);
});

test('what a check of text can answer is a problem of the table', () => {
  const known = new Set<string>(Object.keys(PROBLEMS));
  for (const code of PARSE_PROBLEM_CODES) assert.ok(known.has(code), code);
});

test('the body of a refusal is that of RFC 9457, with all that is known', () => {
  const problems = [problem('/a', 'missing', '"a" is missing.')];
  assert.deepEqual(
    problemDetails({
      code: 'instruction-invalid',
      message: 'It has 1 problem.',
      problems,
      details: { phase: 'proposed' },
    }),
    {
      type: 'urn:linkspan:error:instruction-invalid',
      title: 'The instruction cannot be accepted',
      status: 422,
      code: 'instruction-invalid',
      detail: 'It has 1 problem.',
      problems: [{ pointer: '/a', code: 'missing', message: '"a" is missing.', iso: 'NARR' }],
      details: { phase: 'proposed' },
    },
  );
  assert.deepEqual(Object.keys(problemDetails({ code: 'not-found', message: 'Nothing.' })), [
    'type',
    'title',
    'status',
    'code',
    'detail',
  ]);
});

test('a fault keeps its cause and says whether what was asked may have happened', () => {
  const cause = new Error('socket hang up');
  const fault = new Fault('system-unavailable', 'No answer.', { cause, mayHaveHappened: true });
  assert.deepEqual([fault.cause, fault.mayHaveHappened, fault.retryable, fault.name], [cause, true, true, 'Fault']);
  assert.equal(new Fault('configuration-invalid', 'Wrong.').mayHaveHappened, false);
});

test('a broken invariant crashes', () => {
  invariant(1, 'holds');
  assert.throws(() => invariant(0, 'does not hold'), Broken);
});

function sourcesBelow(folder: string): string[] {
  const entries = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  return entries
    .map((entry) => `${folder}/${entry.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/node_modules/'));
}
