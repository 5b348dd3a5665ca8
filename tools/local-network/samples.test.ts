import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CannotRun } from './cannot-run.ts';
import { readSample, readSampleFrom, sampleNames } from './samples.ts';

const NOW = Date.UTC(2026, 11, 31, 23, 59, 30);
const EXPECTED = { title: 'A title', status: 'settled', moves: {} };

let directory = '';
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'linkspan-samples-'))));
afterEach(() => rmSync(directory, { recursive: true }));

test('run, uuid and instants are filled in, and the day is that of the instant', () => {
  const template = {
    tradeId: '{{run}}-a',
    scenario: 'x@1',
    uetr: '{{uuid}}',
    at: '{{instant +45s}}',
    before: '{{instant -60s}}',
    day: '{{date +45s}}',
    same: '{{date +5s}}',
  };
  write('01-a', { 'instruction.json': template, 'expected.json': EXPECTED });
  const { name, instruction, otherSide, faults, domestic } = readSampleFrom(directory, '01-a', 'r7', NOW);
  const { uetr, ...rest } = instruction;
  assert.deepEqual(rest, {
    tradeId: 'r7-a',
    scenario: 'x@1',
    at: '2027-01-01T00:00:15.000Z',
    before: '2026-12-31T23:58:30.000Z',
    day: '2027-01-01',
    same: '2026-12-31',
  });
  assert.match(String(uetr), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(name, 'a');
  assert.deepEqual(otherSide, instruction);
  assert.deepEqual([faults, domestic], [[], undefined]);
});

test('the uuid is the same whenever a sample is read in a run, and another in every run and sample', () => {
  for (const name of ['01-a', '02-b']) {
    write(name, { 'instruction.json': { tradeId: 't', scenario: 'x@1', uetr: '{{uuid}}' }, 'expected.json': EXPECTED });
  }
  const uuid = (name: string, run: string): unknown => readSampleFrom(directory, name, run, NOW).instruction['uetr'];
  assert.equal(uuid('01-a', 'r1'), uuid('01-a', 'r1'));
  assert.equal(new Set([uuid('01-a', 'r1'), uuid('01-a', 'r2'), uuid('02-b', 'r1')]).size, 3);
});

test('the other side lodges the same, changed by its merge patch, in which templates are filled in too', () => {
  write('01-a', {
    'instruction.json': { tradeId: '{{run}}-a', scenario: 'x@1', lcy: { amount: '1', currency: 'JPY' }, note: 'n' },
    'other-side.json': { lcy: { amount: '2' }, note: null, at: '{{instant +1s}}' },
    'expected.json': EXPECTED,
  });
  const at = '2026-12-31T23:59:31.000Z';
  assert.deepEqual(readSampleFrom(directory, '01-a', 'r1', NOW).otherSide, {
    tradeId: 'r1-a',
    scenario: 'x@1',
    lcy: { amount: '2', currency: 'JPY' },
    at,
  });
});

test('what cannot be used is named with its file and the reason, in one sentence', () => {
  const refusals: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ 'expected.json': EXPECTED }, /^The file .*\/01-a\/instruction\.json is missing\.$/],
    [{ 'instruction.json': '{', 'expected.json': EXPECTED }, /^.*instruction\.json is not JSON: .+\.$/],
    [{ 'instruction.json': [], 'expected.json': EXPECTED }, /^.*instruction\.json cannot be used: the whole: .+\.$/],
    [{ 'expected.json': { ...EXPECTED, status: 'done' } }, /instruction\.json is missing/],
    [
      { 'expected.json': { ...EXPECTED, status: 'done' }, ...VALID },
      /^.*expected\.json cannot be used: \/status: .+\.$/,
    ],
    [{ 'expected.json': { ...EXPECTED, move: {} }, ...VALID }, /^.*expected\.json cannot be used: .*"move".*\.$/],
    [
      { 'expected.json': EXPECTED, ...VALID, 'faults.json': [{ process: 'rtgs', stop: 'later', return: 'at once' }] },
      /^.*faults\.json cannot be used: \/0\/stop: .+\.$/,
    ],
    [
      { 'expected.json': EXPECTED, ...VALID, 'domestic.json': { system: 'csd' } },
      /^.*domestic\.json cannot be used: .+\.$/,
    ],
  ];
  for (const [files, message] of refusals) {
    write('01-a', files);
    assert.throws(
      () => readSampleFrom(directory, '01-a', 'r1', NOW),
      (error) => error instanceof CannotRun && message.test(error.message) && !error.message.includes('\n'),
    );
    rmSync(join(directory, '01-a'), { recursive: true });
  }
});

test('samples come in the order of their names; none at all is refused', () => {
  assert.throws(() => sampleNames(directory), /^CannotRun: There is no sample in /);
  assert.throws(() => sampleNames(join(directory, 'missing')), /^CannotRun: There is no directory of samples /);
  for (const name of ['10-c', '02-b', '01-a']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'README.md'), 'no sample');
  assert.deepEqual(sampleNames(directory), ['01-a', '02-b', '10-c']);
});

test('every sample of the repository can be read, each with a trade id of its run', () => {
  const root = resolve(import.meta.dirname, '../..');
  const samples = sampleNames(join(root, 'deploy/samples')).map((name) => readSample(root, name, 'r1', NOW));
  for (const { instruction } of samples) assert.match(String(instruction['tradeId']), /^r1-/);
  assert.ok(samples.some(({ faults }) => faults.length > 0));
});

const VALID = { 'instruction.json': { tradeId: 't', scenario: 'x@1' } };

/** Texts as they are, everything else as JSON. */
function write(name: string, files: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(directory, name));
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(join(directory, name, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
}
