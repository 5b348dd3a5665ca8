import assert from 'node:assert/strict';
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { CoreApiConfig } from './config.ts';
import { isObject, testConfig } from './test-support.ts';

let directory: string;
let config: CoreApiConfig;
const children: ChildProcess[] = [];

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-main-'));
  config = testConfig(directory);
  writeConfiguration();
});

after(() => {
  // After a failed test too, no process is left.
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

test('the process says when every organisation listens, serves, and ends in order on SIGTERM', async () => {
  const child = start();
  const ready = await readyLine(child);
  assert.deepEqual(Object.keys(ready.organisations).toSorted(), ['central-bank-a', 'central-bank-b', 'csd-b']);
  for (const url of Object.values(ready.organisations)) {
    const health = await fetch(`${String(url)}/healthz`);
    assert.equal(health.status, 200);
    await health.body?.cancel();
  }
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a second process on the same ledger is refused in one sentence', async () => {
  const first = start();
  await readyLine(first);
  const second = start();
  assert.deepEqual(await ending(second), {
    code: 6,
    words: `The ledger in ${join(directory, 'ledger')} is open already, here or in another process.`,
  });
  first.kill('SIGTERM');
  await once(first, 'exit');
});

test('a port that is taken is named in one sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  writeConfiguration({ 'csd-b': address.port });
  assert.deepEqual(await ending(start()), {
    code: 2,
    words: `The port ${address.port} of csd-b is in use by another process.`,
  });
  taken.close();
  writeConfiguration();
});

test('a configuration that is missing, wrong or not given is said in one sentence', async () => {
  assert.deepEqual(await ending(start(join(directory, 'none.json'))), {
    code: 2,
    words: `${join(directory, 'none.json')} cannot be read (ENOENT).`,
  });
  const { code, words } = await ending(start(null));
  assert.equal(code, 2);
  assert.match(words, /^Usage: /);
});

test('a key file that is not the one of the organisation is named', async () => {
  const config = JSON.parse(configuration());
  config.organisations[0].keyFile = config.organisations[1].keyFile;
  const path = join(directory, 'wrong-keys.json');
  writeFileSync(path, JSON.stringify(config));
  const { code, words } = await ending(start(path));
  assert.equal(code, 2);
  assert.match(words, /does not hold the two keys of central-bank-a that the genesis names\.$/);
});

test('--check-config says everything that is wrong, starts nothing and writes nothing', async () => {
  const before = readdirSync(directory).toSorted();
  const right = start(join(directory, 'core.json'), '--check-config');
  assert.deepEqual(await ending(right), { code: 0, words: '' });
  const wrong = JSON.parse(configuration());
  wrong.mode = 'production';
  chmodSync(wrong.organisations[1].keyFile, 0o640);
  writeFileSync(join(directory, 'core.json'), JSON.stringify(wrong));
  const { code, words } = await ending(start(join(directory, 'core.json'), '--check-config'));
  chmodSync(wrong.organisations[1].keyFile, 0o600);
  writeConfiguration();
  assert.equal(code, 2);
  const [organisation] = wrong.organisations;
  assert.ok(
    words.includes(
      `/organisations/1/keyFile value-not-allowed: The key file ${wrong.organisations[1].keyFile} has mode 0640: others can use it. Run: chmod 600`,
    ),
  );
  for (const pointer of [
    '/organisations/0/listen/tls',
    '/organisations/2/client',
    '/organisations/0/authentication/kind',
    `/peers/${organisation.id}/name`,
  ])
    assert.ok(words.includes(`core.json ${pointer} `), pointer);
  assert.deepEqual(readdirSync(directory).toSorted(), before);
});

type Child = ChildProcessByStdio<null, Readable, Readable>;

function configuration(ports: Readonly<Record<string, number>> = {}): string {
  return JSON.stringify({
    mode: 'development',
    network: { genesis: 'genesis.json' },
    ledger: { kind: 'embedded', directory: 'ledger' },
    peers: {},
    organisations: config.organisations.map(({ id, keyFile, journal, authentication }) => {
      const listen = { port: ports[id] ?? 0 };
      return { id, listen, keyFile, journal, register: `${id}.register.json`, systems: [], authentication };
    }),
  });
}

function writeConfiguration(ports: Readonly<Record<string, number>> = {}): void {
  writeFileSync(join(directory, 'core.json'), configuration(ports));
  writeFileSync(join(directory, 'genesis.json'), JSON.stringify(config.genesis));
  for (const { id, register } of config.organisations)
    writeFileSync(join(directory, `${id}.register.json`), JSON.stringify(register));
}

function start(file: string | null = join(directory, 'core.json'), ...more: string[]): Child {
  const main = new URL('main.ts', import.meta.url).pathname;
  const args = file === null ? [] : ['--config', file, ...more];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function readyLine(child: Child): Promise<{ organisations: Record<string, unknown> }> {
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const ready: unknown = JSON.parse(text);
  assert.ok(isObject(ready) && ready['ready'] === true && isObject(ready['organisations']));
  return { organisations: ready['organisations'] };
}

async function ending(child: Child): Promise<{ code: unknown; words: string }> {
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => (words += String(chunk)));
  const [code] = await once(child, 'close');
  return { code, words: words.trim() };
}
