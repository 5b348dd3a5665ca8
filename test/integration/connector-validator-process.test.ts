import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { generateEd25519PrivateKey, writeKeyFile } from '@linkspan/keys';
import type { ValidatorEndpoint } from '@linkspan/plugin';
import { isObject } from '@linkspan/plugin';
import { NETWORK, startProgram, startWeb, webConnectorConfig } from './connector-systems.ts';
import { newOperation, verifierOf } from './connector-validators.ts';

const MAIN = 'apps/validator/src/main.ts';
const TERMS = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '3', currency: 'JPY' };

type Files = { readonly dir: string; readonly config: string; readonly key: ValidatorEndpoint['key'] };

test('F1 a validator that is killed and started again goes on, also while its system is down', async (t) => {
  const system = await startWeb('rtgs');
  t.after(() => system[Symbol.asyncDispose]());
  const files = writeFiles(t, system.url, 0);
  await system.kill();
  const first = await startProgram([MAIN, '--config', files.config]);
  const hold = newOperation('rtgs', 'hold', TERMS);
  await using verifier = verifierOf('rtgs', [{ key: files.key, url: first.url }], { threshold: 1 });
  const limit = AbortSignal.timeout(30_000);
  const outcome = verifier.perform(hold, undefined, limit);
  await system.start();
  const accepted = await outcome;
  assert.ok(accepted.kind === 'accepted');
  assert.deepEqual(accepted.statement.terms, TERMS);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  // The same address, so that the same Verifier finds it again.
  rewritePort(files, system.url, Number(new URL(first.url).port));
  const again = verifier.attest(hold, limit);
  const second = await startProgram([MAIN, '--config', files.config]);
  const found = await again;
  assert.ok(found.kind === 'accepted');
  assert.deepEqual(found.statement, accepted.statement);
  second.child.kill('SIGTERM');
  const [code] = await once(second.child, 'exit');
  assert.equal(code, 0);
});

test('what keeps it from starting is said in one sentence, with the exit code of the error table', async (t) => {
  const files = writeFiles(t, 'http://127.0.0.1:1', 0);
  const running = await startProgram([MAIN, '--config', files.config]);
  t.after(() => running.child.kill('SIGKILL'));
  rewritePort(files, 'http://127.0.0.1:1', Number(new URL(running.url).port));
  assert.match(await failure(['--config', files.config]), /^Port \d+ of 127\.0\.0\.1 is used by another process\.\n$/);
  assert.match(
    await failure(['--config', join(files.dir, 'missing.json')]),
    /^.*missing\.json cannot be read \(ENOENT\)\.\n$/,
  );
  writeFileSync(files.config, '{}');
  assert.match(await failure(['--config', files.config]), /^\/mode: .*\n$/);
  assert.match(await failure([]), /^Usage: .*\n$/);
});

test('over HTTP every refusal is a problem document, and what is too large or no JSON is refused', async (t) => {
  const files = writeFiles(t, 'http://127.0.0.1:1', 0);
  const { child, url } = await startProgram([MAIN, '--config', files.config]);
  t.after(() => child.kill('SIGKILL'));
  const health: unknown = await (await fetch(`${url}/healthz`)).json();
  assert.deepEqual(health, { status: 'ok', network: NETWORK, system: 'rtgs', key: files.key });
  const operation = newOperation('rtgs', 'hold', TERMS);
  assert.deepEqual(await problem(url, '/v1/submit', '{'), [400, 'json-malformed']);
  assert.deepEqual(await problem(url, '/v1/submit', '{}'), [422, 'request-invalid']);
  assert.deepEqual(await problem(url, '/v1/submit', JSON.stringify({ operation: { ...operation, system: 'csd' } })), [
    409,
    'statement-other-system',
  ]);
  assert.deepEqual(await problem(url, '/v1/submit', JSON.stringify({ operation: { ...operation, verb: 'execute' } })), [
    403,
    'certificate-missing',
  ]);
  assert.deepEqual(await problem(url, '/v1/submit', `"${'x'.repeat(200_000)}"`), [413, 'body-too-large']);
  assert.deepEqual(await problem(url, '/v1/nothing', '{}'), [404, 'not-found']);
  assert.deepEqual(await problem(url, '/v1/attest', JSON.stringify({ operation, waitMs: 5_000 })), [
    503,
    'system-unavailable',
  ]);
});

async function problem(url: string, path: string, body: string): Promise<[number, unknown]> {
  const answer = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(answer.headers.get('content-type')?.split(';')[0], 'application/problem+json');
  const details: unknown = await answer.json();
  assert.ok(isObject(details) && details['status'] === answer.status);
  return [answer.status, details['code']];
}

/** Standard error of a start that fails as the error table says for a configuration. */
async function failure(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += String(chunk);
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 2, text);
  return text;
}

function writeFiles(t: TestContext, systemUrl: string, port: number): Files {
  const dir = mkdtempSync(join(tmpdir(), 'linkspan-validator-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { ed25519 } = writeKeyFile(join(dir, 'key.json'), { ed25519: generateEd25519PrivateKey() });
  assert.ok(ed25519);
  const files = { dir, config: join(dir, 'config.json'), key: ed25519.key };
  rewritePort(files, systemUrl, port);
  return files;
}

function rewritePort({ dir, config }: Files, systemUrl: string, port: number): void {
  const connector = webConnectorConfig(systemUrl, 0);
  const keyFile = join(dir, 'key.json');
  writeFileSync(
    config,
    JSON.stringify({ mode: 'development', network: NETWORK, system: 'rtgs', listen: { port }, keyFile, connector }),
  );
}
