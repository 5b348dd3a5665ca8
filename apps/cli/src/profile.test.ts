import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { call, startTestApi, type TestApi } from './test-support.ts';

let api: TestApi;
let url: string;

before(async () => {
  api = await startTestApi();
  url = api.urls['central-bank-a'] ?? '';
});

after(() => api[Symbol.asyncDispose]());

test('one acts as another client by its name, and may do what that one may', async () => {
  const file = api.write('as.json', api.instruction('AS-1'));
  const refused = await call(api.folder, ['instruct', file, '--as', 'auditor', '--key', 'as']);
  assert.equal(refused.exit, 5);
  assert.match(refused.error, /auditor does not have the scope instructions:write.*--as CLIENT/s);
  assert.equal((await call(api.folder, ['instruct', file, '--as', 'mary', '--key', 'as'])).exit, 0);
  const history = await call(api.folder, ['history', 'AS-1', '--as', 'auditor', '--json']);
  assert.match(history.out, /"actor": "mary"/);
  const nobody = await call(api.folder, ['settlements', '--as', 'nobody']);
  assert.deepEqual([nobody.exit, nobody.error.split('\n')[0]], [4, 'central-bank-a has no client nobody.']);
});

test('a token is printed for other programs, and one is enough to ask an API without a profile', async () => {
  const printed = await call(api.folder, ['token', '--scope', 'settlements:read']);
  assert.equal(printed.exit, 0, printed.error);
  assert.match(printed.out, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const env = { LINKSPAN_TOKEN: printed.out };
  assert.equal((await call('/', ['settlements', '--api', url], { env })).exit, 0);
  const systems = await call('/', ['systems', '--api', url], { env });
  assert.deepEqual([systems.exit, systems.error.split('\n')[0]], [5, 'The access token does not permit this.']);
  const none = await call('/', ['settlements', '--api', url]);
  assert.equal(none.exit, 5);
  assert.match(none.error, /LINKSPAN_TOKEN/);
  const expired = await call('/', ['settlements', '--api', url], { env: { LINKSPAN_TOKEN: 'a.b.c' } });
  assert.equal(expired.exit, 5);
  const far = await call('/', ['settlements', '--api', 'http://api.example'], { env });
  assert.deepEqual([far.exit, /needs https/.test(far.error)], [2, true]);
  assert.equal((await call('/', ['settlements', '--api', url, '--as', 'ada'], { env })).exit, 2);
});

test('secrets come from files that nobody else can read, or from the environment; a profile is named by --profile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-profile-'));
  const write = (clients: object, more: object = {}): string => {
    const access = { issuer: `${url}/oauth`, clientId: 'ada', clients };
    const one = { name: 'A', api: url, access, ...more };
    const profile = { network: 'sha256:', default: 'a', organisations: { a: one } };
    writeFileSync(join(folder, 'p.json'), JSON.stringify(profile));
    return join(folder, 'p.json');
  };
  const secret = readFileSync(join(api.folder, 'var', 'ada.secret'), 'utf8').trim();
  const inFile = write({ ada: { secretFile: 'ada.secret' } });
  writeFileSync(join(folder, 'ada.secret'), `${secret}\n`, { mode: 0o600 });
  assert.equal((await call('/', ['settlements', '--profile', inFile])).exit, 0);
  chmodSync(join(folder, 'ada.secret'), 0o644);
  const open = await call('/', ['settlements', '--profile', inFile]);
  assert.deepEqual([open.exit, /chmod 600/.test(open.error)], [2, true]);
  const inEnvironment = write({ ada: { secretEnv: 'ADA_SECRET' } });
  assert.equal(
    (await call('/', ['settlements'], { env: { LINKSPAN_PROFILE: inEnvironment, ADA_SECRET: secret } })).exit,
    0,
  );
  assert.equal((await call('/', ['settlements', '--profile', inEnvironment])).exit, 2);
  const wrong = write({ ada: { secret } });
  assert.equal((await call('/', ['settlements', '--profile', wrong])).exit, 2, 'no secret stands in a profile');
  const tls = write({ ada: { secretFile: 'ada.secret' } }, { tls: { caFile: 'none.pem' } });
  const missing = await call('/', ['settlements', '--profile', tls]);
  assert.deepEqual([missing.exit, /none\.pem/.test(missing.error)], [2, true]);
  rmSync(folder, { recursive: true });
});
