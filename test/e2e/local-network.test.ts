import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { apiTokens } from '../../tools/local-network/api-clients.ts';
import { Api } from '../../tools/local-network/api.ts';
import { readPositions } from '../../tools/local-network/positions.ts';
import { type Ended, isObject, type NpmStart, root, Workplace } from './npm-start.ts';

const SAMPLES = join(root, 'deploy/samples');
const UP = /npx linkspan history (\S+)/;
const READY = /all are ready/;
const FIELDS = ['sample', 'tradeId', 'scenario', 'status', 'residuals', 'expected', 'asExpected', 'durationMs'];

test('every sample ends as its file says, the first settlement is on the screen, and nothing is left running', async () => {
  await using place = new Workplace();
  const start = place.start('var', await place.portBase(), '--once', '--json');
  const ended = await start.ended;
  assert.deepEqual(ended.errors, []);
  assert.equal(ended.code, 0);
  const results = resultsOf(ended);
  assert.deepEqual(
    results.map(({ sample }) => sample),
    readdirSync(SAMPLES)
      .toSorted()
      .map((name) => name.replace(/^[0-9]+-/, '')),
  );
  for (const [i, folder] of readdirSync(SAMPLES).toSorted().entries()) {
    const expected: unknown = JSON.parse(readFileSync(join(SAMPLES, folder, 'expected.json'), 'utf8'));
    assert.ok(isObject(expected));
    const result = results[i] ?? {};
    assert.deepEqual(Object.keys(result).toSorted(), FIELDS.toSorted());
    assert.deepEqual(
      [result['status'], result['expected'], result['asExpected']],
      [expected['status'], expected['status'], true],
      folder,
    );
    assert.deepEqual(result['residuals'], expected['residuals'] ?? []);
  }
  for (const line of [
    /^ {2}[0-9:.]{12} {2}settled +now settled$/,
    /refused the instruction, which has 6 problems:$/,
    /^ {4}\/lcy\/amount +Central Bank of A 1000000, CSD of B 999999$/,
  ]) {
    assert.ok(
      ended.lines.some((each) => line.test(each)),
      `${line} in\n${ended.lines.join('\n')}`,
    );
  }
  await start.allGone();
});

test('a start goes on with the data of the last one, alone; --fresh begins anew; Ctrl-C ends everything', async () => {
  await using place = new Workplace();
  const base = await place.portBase();
  const samples = place.samples('01-settled');
  const first = place.start('var', base, '--samples', samples);
  const [, trade = ''] = await first.says(UP);
  const before = await look(place, base, trade);
  assert.equal(before.phase, 'settled');
  const second = await place.start('var', await place.portBase(), '--once', '--fresh', '--samples', samples).ended;
  assert.equal(second.code, 1);
  assert.match(
    second.errors.join('\n'),
    /^A local network runs on .*\/var already \(process [0-9]+\): end it, or start another with --data and --port-base\.$/,
  );
  assert.deepEqual(await look(place, base, trade), before, 'the running one is not disturbed');
  await interrupt(first);

  const again = place.start('var', base, '--samples', place.samples('02-insufficient-fcy'));
  await again.says(UP);
  assert.deepEqual(await look(place, base, trade), before, 'the same network, balances and settlement');
  await interrupt(again);

  const fresh = place.start('var', base, '--fresh', '--samples', place.samples('02-insufficient-fcy'));
  await fresh.says(UP);
  const anew = await look(place, base, trade);
  assert.notEqual(anew.network, before.network);
  assert.equal(anew.phase, undefined);
  assert.deepEqual(anew.balances, openingBalances());
  assert.notDeepEqual(before.balances, openingBalances());
  await interrupt(fresh);
});

test('a sample that does not end as its file says makes the exit code 1, and what was wrong is said', async () => {
  await using place = new Workplace();
  const samples = place.samples('01-settled');
  const file = join(samples, '01-settled/expected.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"XS0000000009": "1000000"', '"XS0000000009": "1000001"'));
  const start = place.start('var', await place.portBase(), '--once', '--json', '--samples', samples);
  const ended = await start.ended;
  assert.equal(ended.code, 1);
  assert.deepEqual(
    resultsOf(ended).map(({ status, asExpected }) => [status, asExpected]),
    [['settled', false]],
  );
  assert.match(
    ended.lines.join('\n'),
    /NOT as expected:\n +- moves: csd:0099 XS0000000009 1000000 is not expected, csd:0099 XS0000000009 1000001 is expected and missing\n/,
  );
  await start.allGone();
});

test('a port in use, a sample that is missing, one that is not JSON: one sentence, and nothing is started', async () => {
  await using place = new Workplace();
  const base = await place.portBase();
  const stranger = createServer().listen(base + 12, '127.0.0.1');
  await once(stranger, 'listening');
  const samples = place.samples('01-settled');
  const refused = async (message: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, lines, errors } = await place.start('var', base, ...args).ended;
    assert.deepEqual([code, lines], [1, []]);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', message);
    assert.ok(!existsSync(join(place.folder, 'var/log')), 'no process was started');
  };
  await refused(
    new RegExp(`^Port ${base + 12} is used by another program: end it, or choose others with --port-base\\.$`),
    '--samples',
    samples,
  );
  stranger.close();
  await refused(/^There is no directory of samples .*\/none\.$/, '--samples', join(place.folder, 'none'));
  writeFileSync(join(samples, '01-settled/expected.json'), '{"title": "A title",}');
  await refused(/^.*\/01-settled\/expected\.json is not JSON: .*\.$/, '--samples', samples);
});

test('a process that is killed is named and started again, and everything goes on', async () => {
  await using place = new Workplace();
  const start = place.start('var', await place.portBase(), '--samples', place.samples('01-settled'));
  await start.says(UP);
  process.kill(start.pid('validator-rtgs'), 'SIGKILL');
  await start.says(
    /validator-rtgs is started again: validator-rtgs was ended by SIGKILL\. Its log is .*validator-rtgs\.log/,
  );
  await start.says(/validator-rtgs is back/);
  start.signalNpm('SIGTERM');
  await start.allGone();
});

test('when what keeps the processes is killed, they end by themselves, the node of the chain too, and the next start goes on', async () => {
  await using place = new Workplace();
  const base = await place.portBase();
  const samples = place.samples('01-settled');
  const killed = place.start('var', base, '--samples', samples);
  const [, trade = ''] = await killed.says(UP);
  const before = await look(place, base, trade);
  process.kill(killed.pid('npm start'), 'SIGKILL');
  await killed.ended;
  // At once: whatever still ends is waited for.
  const next = place.start('var', base, '--samples', place.samples('02-insufficient-fcy'));
  await next.says(UP);
  await killed.allGone();
  assert.deepEqual(await look(place, base, trade), before);

  next.signalNpm('SIGTERM');
  await next.allGone();
});

test('Ctrl-C while everything starts ends it as well', async () => {
  await using place = new Workplace();
  const start = place.start('var', await place.portBase(), '--once', '--samples', place.samples('01-settled'));
  await start.says(/starting [0-9]+ processes/);
  start.interrupt();
  const { code, lines, errors } = await start.ended;
  assert.notEqual(code, 0, 'the samples have not ended as expected');
  assert.ok(!lines.some((line) => READY.test(line)));
  assert.deepEqual(errors, []);
  await start.allGone();
});

test('two networks with other ports and data do not disturb each other', async () => {
  await using place = new Workplace();
  const samples = place.samples('01-settled');
  const starts = [
    place.start('a', await place.portBase(), '--once', '--samples', samples),
    place.start('b', await place.portBase(), '--once', '--samples', samples),
  ];
  for (const start of starts) {
    const { code, errors } = await start.ended;
    assert.deepEqual([code, errors], [0, []]);
    await start.allGone();
  }
});

/** What a network says of itself: its id, every balance, and where a settlement stands (undefined where it is not known). */
async function look(place: Workplace, portBase: number, trade: string) {
  const data = join(place.folder, 'var');
  const organisations = ['central-bank-a', 'central-bank-b', 'csd-b'];
  const [first, ...others] = organisations.map(
    (id, i) => new Api(`http://127.0.0.1:${portBase + 1 + i}`, apiTokens(data, id)),
  );
  assert.ok(first);
  const positions = await readPositions([first, ...others]);
  const balances = Object.fromEntries(
    [...positions].filter(([, { balance }]) => balance !== '0').map(([name, { balance }]) => [name, balance]),
  );
  const health: unknown = await (await fetch(`${first.url}/healthz`)).json();
  const phase = await first.settlement(trade).then(
    (settlement) => settlement.phase,
    () => undefined,
  );
  return { network: isObject(health) ? health['network'] : undefined, balances, phase };
}

function openingBalances(): Record<string, string> {
  const definition: unknown = JSON.parse(readFileSync(join(root, 'deploy/local/network.json'), 'utf8'));
  const opening: Record<string, string> = {};
  for (const [system, accounts] of entriesOf(isObject(definition) ? definition['balances'] : undefined)) {
    for (const [account, assets] of entriesOf(accounts)) {
      for (const [asset, balance] of entriesOf(assets))
        if (balance !== '0') opening[`${system}:${account} ${asset}`] = String(balance);
    }
  }
  return opening;
}

async function interrupt(start: NpmStart): Promise<void> {
  start.interrupt();
  const { lines, errors } = await start.ended;
  assert.equal(lines.at(-1), 'Ended. The next start continues with the data.');
  assert.deepEqual(errors, []);
  await start.allGone();
}

/** The last line of what was printed: an array of objects. */
function resultsOf({ lines, errors }: Ended): Readonly<Record<string, unknown>>[] {
  const results: unknown = JSON.parse(lines.at(-1) ?? '');
  assert.ok(Array.isArray(results), errors.join('\n'));
  return results.filter(isObject);
}

function entriesOf(value: unknown): [string, unknown][] {
  assert.ok(isObject(value));
  return Object.entries(value);
}
