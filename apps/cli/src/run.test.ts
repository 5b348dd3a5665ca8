import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ENDPOINTS, parse, systemCertificateSchema } from '@linkspan/protocol';
import { isObject } from './failure.ts';
import { call, startTestApi, type TestApi } from './test-support.ts';

let api: TestApi;

before(async () => {
  api = await startTestApi();
});

after(() => api[Symbol.asyncDispose]());

test('an instruction is lodged by one side, then by the other, and what comes next is said', async () => {
  const file = api.write('trade.json', api.instruction('CLI-1'));
  const first = await call(api.folder, ['instruct', file]);
  assert.match(
    first.out,
    /^CLI-1 is proposed \([0-9a-f]{12}\)\. It waits for the other side\.\nFollow it with: linkspan status CLI-1$/,
  );
  assert.deepEqual([first.exit, first.error], [0, '']);
  const second = await call(api.folder, ['instruct', file, '--organisation', 'csd-b', '--key', 'k1']);
  assert.match(second.out, /^CLI-1 is preparing .* the settlement has begun\./);
  const again = await call(api.folder, ['instruct', file, '--organisation', 'csd-b', '--key', 'k1']);
  assert.equal(again.out, second.out);
  const stdin = await call(api.folder, ['instruct', '-', '--json'], {
    stdin: JSON.stringify(api.instruction('CLI-2')),
  });
  assert.equal(stdin.exit, 7, 'the made-up key was used for the first trade');
  const fresh = await call(api.folder, ['instruct', '-', '--json', '--key', 'k2'], {
    stdin: JSON.stringify(api.instruction('CLI-2')),
  });
  assert.ok(parse(ENDPOINTS.lodge.answer, JSON.parse(fresh.out), 'internal').ok);
});

test('the version is that of the package', async () => {
  const { exit, out } = await call('/', ['--version']);
  assert.deepEqual([exit, /^linkspan \d+\.\d+\.\d+$/.test(out)], [0, true]);
});

test('every problem of an instruction is shown at once with its place, and the exit code says refused', async () => {
  const instruction = api.instruction('CLI-BAD');
  const file = api.write('bad.json', { ...instruction, uetr: 'x', lcy: { amount: '1.50', currency: 'JPY' } });
  const { exit, out, error } = await call(api.folder, ['instruct', file, '--key', 'bad']);
  assert.deepEqual([exit, out], [3, '']);
  const lines = error.split('\n');
  assert.deepEqual(lines.slice(0, 2), ['The instruction cannot be accepted.', 'The instruction has 2 problems.']);
  assert.match(lines[2] ?? '', /^ {2}\/uetr {8}"uetr": /);
  assert.match(lines[3] ?? '', /^ {2}\/lcy\/amount {2}"1\.50" has 2 decimals, but JPY has none/);
  const json = await call(api.folder, ['instruct', file, '--key', 'bad', '--json']);
  const problem: unknown = JSON.parse(json.error);
  assert.ok(isObject(problem) && problem['code'] === 'instruction-invalid' && Array.isArray(problem['problems']));
});

test('status shows phase, sides and operations with aligned amounts', async () => {
  const { exit, out } = await call(api.folder, ['status', 'CLI-1']);
  assert.equal(exit, 0);
  const lines = out.split('\n');
  assert.equal(lines[0], 'CLI-1');
  assert.match(out, /\n {2}phase +preparing\n/);
  assert.match(out, /\n {2}lodged +central-bank-a yes, csd-b yes\n/);
  const operations = lines.slice(lines.findIndex((line) => line.startsWith('operation')));
  assert.equal(operations.length, 4);
  assert.ok(
    operations.some((line) => /earmark\/fcy +fcy-evm +hold +6,711\.41 +USD +asked/.test(line)),
    out,
  );
  assert.ok(
    operations.some((line) => /earmark\/lcy +rtgs +hold +1,000,000 +JPY +asked/.test(line)),
    out,
  );
  const columns = operations.slice(1).map((line) => line.search(/ {2}(USD|JPY|XS)/));
  assert.equal(new Set(columns).size, 1, `amounts end in one column: ${out}`);
});

test('a settlement is found by the beginning of its id as tables show it, and --json is one document', async () => {
  const { out } = await call(api.folder, ['status', 'CLI-1', '--json']);
  const body = parse(ENDPOINTS.settlement.answer, JSON.parse(out), 'internal');
  assert.ok(body.ok);
  const short = body.value.id.slice('sha256:'.length, 'sha256:'.length + 12);
  const found = await call(api.folder, ['status', short, '--json']);
  assert.deepEqual([found.exit, JSON.parse(found.out)], [0, JSON.parse(out)]);
  const history = await call(api.folder, ['history', short, '--json']);
  const entries: unknown = JSON.parse(history.out);
  assert.ok(isObject(entries) && Array.isArray(entries['entries']) && entries['entries'].length === 2);
});

test('what stays open at an end is shown with who has it and whom they owe it', async () => {
  const shown: unknown = JSON.parse((await call(api.folder, ['status', 'CLI-1', '--json'])).out);
  assert.ok(isObject(shown));
  const words = 'Minami Bank has 1,000,000 JPY and owes it to Central Bank of B. It was paid before the trade ended.';
  const terms = { amount: '1000000', currency: 'JPY' };
  const residuals = [{ residual: 'lcy-with-buyer', terms, holder: 'Minami Bank', owes: 'Central Bank of B', words }];
  const server = createServer((_, response) => response.end(JSON.stringify({ ...shown, residuals }))).listen(0);
  await once(server, 'listening');
  try {
    const address = server.address();
    assert.ok(isObject(address));
    const { out } = await call(api.folder, ['status', 'CLI-1', '--api', `http://127.0.0.1:${String(address['port'])}`]);
    assert.match(
      out,
      /\nleft open: lcy-with-buyer 1,000,000 JPY\n {2}Minami Bank has 1,000,000 JPY and owes it to Central/,
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('history tells what happened in words', async () => {
  const { out } = await call(api.folder, ['history', 'CLI-1']);
  assert.match(
    out,
    /^#  time \(UTC\) +by +what\n1 {2}[-0-9]{10} [:0-9]{8} {2}central-bank-a  Central Bank of A lodged its instruction\n/,
  );
  assert.match(out, /\n {40}both sides match\n/);
});

test('copies that differ are shown side by side', async () => {
  const instruction = api.instruction('CLI-DIFF');
  await call(api.folder, ['instruct', api.write('a.json', instruction), '--key', 'da']);
  const other = { ...instruction, security: { ...instruction.security, quantity: '999' } };
  await call(api.folder, ['instruct', api.write('b.json', other), '--key', 'db', '--organisation', 'csd-b']);
  const { out } = await call(api.folder, ['status', 'CLI-DIFF']);
  assert.match(out, /differs +central-bank-a +csd-b\n\/security\/quantity +1000000 +999$/);
});

test('settlements are listed newest first, by phase and up to a limit', async () => {
  const all = await call(api.folder, ['settlements']);
  const [head, ...rows] = all.out.split('\n');
  assert.match(head ?? '', /^trade id +id +phase +scenario +changed \(UTC\) +deadline \(UTC\) +attention$/);
  assert.deepEqual(
    rows.map((row) => row.split(/ +/)[0]),
    ['CLI-DIFF', 'CLI-2', 'CLI-1'],
  );
  const some = await call(api.folder, ['settlements', '--phase', 'preparing', '--json']);
  const document: unknown = JSON.parse(some.out);
  assert.ok(isObject(document) && Array.isArray(document['settlements']) && document['settlements'].length === 1);
  const one = await call(api.folder, ['settlements', '--limit', '1']);
  assert.equal(one.out.split('\n').length, 2);
  const of = await call(api.folder, ['settlements', '--system', 'rtgs', '--party', api.instruction('X').buyer.lei]);
  assert.equal(of.out, all.out);
  const early = await call(api.folder, ['settlements', '--to', '2020-01-01T00:00:00Z']);
  assert.equal(early.out, 'There is none.');
  assert.equal((await call(api.folder, ['settlements', '--from', 'today'])).exit, 2);
  const none = await call(api.folder, ['settlements', '--phase', 'rejected']);
  assert.equal(none.out, 'There is none.');
});

test('a table never is wider than the terminal, and colours come only where they are wanted', async () => {
  for (const args of [['settlements'], ['status', 'CLI-1'], ['history', 'CLI-1']]) {
    const narrow = await call(api.folder, args, { columns: 100 });
    const table = narrow.out.split('\n').filter((line) => !/^ {2}/.test(line));
    assert.ok(
      table.every((line) => Array.from(line).length <= 100),
      narrow.out,
    );
    assert.ok(!narrow.out.includes('\u001b'));
    assert.ok((await call(api.folder, args, { colours: true })).out.includes('\u001b['));
  }
});

test('balances ask every organisation, and name the silent system below', async () => {
  const { exit, out } = await call(api.folder, ['balances']);
  assert.deepEqual([exit, out], [0, 'rtgs: No validator of rtgs gave a reading.']);
  const json = await call(api.folder, ['balances', '--json']);
  const document: unknown = JSON.parse(json.out);
  assert.ok(isObject(document) && Array.isArray(document['organisations']) && document['organisations'].length === 3);
  const one = await call(api.folder, ['balances', '--json', '--organisation', 'csd-b']);
  assert.deepEqual(JSON.parse(one.out), { organisations: [{ organisation: 'csd-b', systems: [] }] });
});

test('a copy is taken back, and a settlement is cancelled when both sides ask', async () => {
  const file = api.write('back.json', api.instruction('CLI-BACK'));
  await call(api.folder, ['instruct', file, '--key', 'back']);
  const stranger = await call(api.folder, ['retract', 'CLI-BACK', '--organisation', 'csd-b', '--key', 'rs']);
  assert.equal(stranger.exit, 5);
  const back = await call(api.folder, ['retract', 'CLI-BACK', '--as', 'mary', '--key', 'r']);
  assert.match(back.out, /^CLI-BACK is rejected \([0-9a-f]{12}\)\.$/);
  const { out } = await call(api.folder, ['history', 'CLI-BACK', '--json']);
  assert.match(out, /"actor": "mary"/);

  const both = api.write('both.json', api.instruction('CLI-CANCEL'));
  for (const side of ['central-bank-a', 'csd-b'])
    await call(api.folder, ['instruct', both, '--key', 'both', '--organisation', side]);
  const first = await call(api.folder, ['cancel', 'CLI-CANCEL', '--key', 'c']);
  assert.match(first.out, /^CLI-CANCEL is preparing .* It is cancelled when the other side asks for it too\.$/);
  const second = await call(api.folder, ['cancel', 'CLI-CANCEL', '--key', 'c', '--organisation', 'csd-b', '--json']);
  const document: unknown = JSON.parse(second.out);
  assert.ok(isObject(document) && document['phase'] === 'aborting');
  const late = await call(api.folder, ['retract', 'CLI-CANCEL', '--key', 'late']);
  assert.equal(late.exit, 7);
});

test('a person says what became of an operation, by its name or the beginning of its id', async () => {
  const trade = api.write('odd.json', api.instruction('CLI-ODD'));
  for (const side of ['central-bank-a', 'csd-b'])
    await call(api.folder, ['instruct', trade, '--key', 'odd', '--organisation', side]);
  const say = (operation: string, ...more: string[]) =>
    call(api.folder, ['resolve', 'CLI-ODD', operation, 'effective', '--why', 'seen in the books', ...more]);
  const unasked = await say('earmark/lcy', '--key', 'unasked');
  assert.deepEqual([unasked.exit, unasked.error.split('\n')[1]], [7, 'Nobody was asked to look at earmark/lcy.']);
  await api.state('CLI-ODD', ['earmark/fcy', 'earmark/bond', 'earmark/lcy']);
  await api.state('CLI-ODD', ['deliver/lcy'], 'odd');
  const said = await say('deliver/lcy', '--key', 'ada', '--as', 'ada', '--organisation', 'csd-b');
  assert.match(said.out, /^CLI-ODD is committed .* Noted\. It counts when two persons of every organisation/);
  const { out } = await call(api.folder, ['history', 'CLI-ODD']);
  assert.match(out, /\(ada\) says that deliver\/lcy took effect/);
  const { operations } = JSON.parse((await call(api.folder, ['status', 'CLI-ODD', '--json'])).out);
  const { id } = operations.find(({ name }: { readonly name: string }) => name === 'deliver/lcy');
  const bo = await say(String(id).slice('sha256:'.length, 'sha256:'.length + 12), '--key', 'bo', '--as', 'bo');
  assert.deepEqual([bo.exit, bo.error], [0, '']);
  const none = await say('earmark/gold');
  assert.deepEqual([none.exit, none.error.split('\n')[0]], [4, 'There is no operation earmark/gold.']);
  assert.equal((await call(api.folder, ['resolve', 'CLI-ODD', 'deliver/lcy', 'lost', '--why', 'x'])).exit, 2);
  assert.equal((await call(api.folder, ['resolve', 'CLI-ODD', 'deliver/lcy', 'dead'])).exit, 2);
});

test('the certificate of a decision is handed over as systems take it, by kind or as the only one', async () => {
  const none = await call(api.folder, ['certificate', 'CLI-1']);
  assert.deepEqual([none.exit, none.out], [0, 'The settlement calls for no certificate yet.']);
  const known = await call(api.folder, ['certificate', 'CLI-ODD']);
  assert.match(known.out, /^kind +signatures +quorum +certificate\ncommit +[23] +2 +names 3 operations$/);
  const shown = await call(api.folder, ['certificate', 'CLI-ODD', '--kind', 'commit']);
  const certificate = parse(systemCertificateSchema, JSON.parse(shown.out), 'internal');
  assert.ok(certificate.ok && certificate.value.certificate.kind === 'commit');
  const written = await call(api.folder, ['certificate', 'CLI-ODD', '--out', 'commit.json']);
  assert.equal(written.out, 'The commit certificate is in commit.json; it names 3 operations.');
  const file: unknown = JSON.parse(readFileSync(join(api.folder, 'commit.json'), 'utf8'));
  assert.deepEqual(file, certificate.value);
  const other = await call(api.folder, ['certificate', 'CLI-ODD', '--kind', 'abort']);
  assert.deepEqual(
    [other.exit, other.error],
    [4, 'The settlement calls for no such certificate.\nIt calls for: commit.'],
  );
  assert.equal((await call(api.folder, ['certificate', 'CLI-ODD', '--kind', 'odd'])).exit, 2);
});

test('systems and scenarios are shown with those who stand for them', async () => {
  const systems = await call(api.folder, ['systems']);
  assert.match(systems.out, /^system +name +owner +kind +keeps +validators +final\ncsd +.* csd-b +.* of /);
  const list = await call(api.folder, ['scenario', 'list']);
  assert.match(
    list.out,
    /\ndvp-buyer-overseas@1 +[0-9a-f]{12} +central-bank-a +central-bank-a, central-bank-b, csd-b(\n|$)/,
  );
  const show = await call(api.folder, ['scenario', 'show', 'dvp-buyer-overseas@1']);
  assert.match(show.out, /\n {2}\/seller gives \/security and gets \/lcy\n/);
  assert.match(show.out, /\n {2}earmark \(prepare, until \/deadline\)\n {4}(fcy|bond|lcy): hold in /);
  const diagram = await call(api.folder, ['scenario', 'diagram', 'dvp-buyer-overseas@1']);
  assert.match(diagram.out, /^stateDiagram-v2\n/);
  assert.equal((await call(api.folder, ['scenario', 'show', 'nothing@1'])).exit, 4);
  assert.equal((await call(api.folder, ['scenario', 'show'])).exit, 2);
  assert.equal((await call(api.folder, ['scenario', 'list', 'all'])).exit, 2);
});

test('an example is a trade of its own that both sides can lodge; it needs no network to be made', async () => {
  const { out } = await call('/', ['instruct', '--example']);
  assert.doesNotMatch(out, /[{]{2}/);
  const made = await call(api.folder, ['instruct', '--example', '--out', 'own.json']);
  assert.deepEqual([made.exit, made.error], [0, '']);
  const lines = made.out.split('\n').filter((line) => line.startsWith('  linkspan '));
  for (const [i, phase] of ['proposed', 'preparing'].entries()) {
    const lodged = await call(api.folder, [...(lines[i]?.trim().split(' ').slice(1) ?? []), '--key', `own ${phase}`]);
    assert.deepEqual([lodged.exit, lodged.error], [0, '']);
    assert.match(lodged.out, new RegExp(`^example-[0-9a-f]{8} is ${phase} `));
  }
  const [one, other] = [JSON.parse(out), JSON.parse((await call('/', ['instruct', '--example', '--json'])).out)];
  assert.notEqual(one.tradeId, other.tradeId);
  assert.notEqual(one.uetr, other.uetr);
});

const NOTHING_LISTENS = /^Nothing listens at http:\/\/127\.0\.0\.1:1: is `npm start` running\?\nIf it is, /;

test('every wrong use ends with its own exit code and says what would be right', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['status', 'NOTHING'], 4, /^There is no such resource\.\nThere is no settlement NOTHING\.$/],
    [['status'], 2, /Usage: linkspan status ID\./],
    [['status', 'A', 'B'], 2, /Usage: linkspan status ID\./],
    [['status', 'A', '--colour'], 2, /Unknown option '--colour'/],
    [['frobnicate'], 2, /^There is no command "frobnicate"\.\nThere are instruct, watch, /],
    [['settlements', '--phase', 'odd'], 2, /A phase is one of proposed, /],
    [['settlements', '--limit', '0'], 2, /whole number/],
    [['settlements', '--from', 'yesterday'], 2, /^--from is no instant: yesterday\.\nWrite it as \d/],
    [['audit', 'export', '--from', '2026-11-24T00:00:00Z', '--to', 'now'], 2, /^--to is no instant: now\.\n/],
    [['instruct'], 2, /Usage: linkspan instruct FILE /],
    [['instruct', 'a.json', '--example'], 2, /Usage: linkspan instruct FILE /],
    [['instruct', 'a.json', '--out', 'b.json'], 2, /Usage: linkspan instruct FILE /],
    [['instruct', 'none.json'], 2, /^There is no file none\.json\./],
    [['instruct', '-'], 2, /^- is not JSON\./],
    [['settlements', '--api', 'elsewhere'], 2, /no address of an API/],
    [['settlements', '--organisation', 'nobody'], 4, /^The profile has no organisation nobody\./],
    [['settlements', '--api', 'http://127.0.0.1:1'], 6, NOTHING_LISTENS],
    [['metrics', '--api', 'http://127.0.0.1:1'], 6, NOTHING_LISTENS],
  ];
  for (const [args, exit, words] of cases) {
    const called = await call(api.folder, args);
    assert.deepEqual([called.exit, called.out], [exit, ''], args.join(' '));
    assert.match(called.error, words, args.join(' '));
  }
  const stranger = api.write('stranger.json', api.instruction('CLI-STRANGER'));
  const refused = await call(api.folder, ['instruct', stranger, '--organisation', 'central-bank-b', '--key', 's']);
  assert.equal(refused.exit, 5);
});

test('a lost answer is told with the key that makes the request the same again', async () => {
  const file = api.write('lost.json', api.instruction('CLI-LOST'));
  const { exit, error } = await call(api.folder, ['instruct', file, '--api', 'http://127.0.0.1:1']);
  assert.equal(exit, 6);
  assert.match(error, /linkspan instruct lost\.json --key 'made-up-key'/);
});

test('the profile is found upwards from the folder, or where LINKSPAN_PROFILE says', async () => {
  const below = join(api.folder, 'a', 'b');
  assert.equal((await call(below, ['settlements'])).exit, 0);
  const outside = await call('/', ['settlements']);
  assert.deepEqual([outside.exit, outside.error.split('\n')[0]], [6, 'There is no profile of a network.']);
  const env = { LINKSPAN_PROFILE: join(api.folder, 'var', 'profile.json') };
  assert.equal((await call('/', ['settlements'], { env })).exit, 0);
  assert.equal((await call('/', ['settlements'], { env: { LINKSPAN_PROFILE: '/nowhere.json' } })).exit, 2);
  const wrong = api.write('wrong-profile.json', '{"organisations":[]}');
  assert.equal((await call(api.folder, ['settlements'], { env: { LINKSPAN_PROFILE: wrong } })).exit, 2);
});

test('help teaches: in general, and for each command with an example', async () => {
  const general = await call('/', []);
  assert.equal(general.exit, 0);
  const commands = [
    'instruct',
    'status',
    'history',
    'settlements',
    'balances',
    'retract',
    'cancel',
    'resolve',
    'systems',
  ];
  for (const name of [...commands, 'scenario']) {
    assert.match(general.out, new RegExp(`\\n {2}${name} `));
    const help = await call('/', [name, '--help']);
    assert.equal(help.exit, 0);
    assert.match(
      help.out,
      new RegExp(`^linkspan ${name} - .*\\n\\nUsage: linkspan ${name}.*Examples:\\n {2}linkspan ${name}`, 's'),
    );
    assert.equal((await call('/', ['help', name])).out, help.out);
  }
  assert.equal((await call('/', ['help', 'nothing'])).exit, 2);
});

test("others' text cannot steer the terminal", async () => {
  const instruction = api.instruction('CLI-STEER');
  const file = api.write('steer.json', {
    ...instruction,
    security: { ...instruction.security, quantity: '\u001b[2J\u0007evil' },
  });
  const { error } = await call(api.folder, ['instruct', file, '--key', 'steer']);
  assert.ok(error.includes('evil'));
  assert.doesNotMatch(error, /[^\n\P{Cc}]/u);
});
