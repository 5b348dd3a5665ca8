import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeParts, codeVersion } from './code-version.ts';

test('the program says what code it is, as short and plain as Fabric takes for a version', () => {
  const said = execFileSync(process.execPath, [join(import.meta.dirname, 'main.ts'), '--version'], {
    encoding: 'utf8',
  });
  assert.equal(said, `${codeVersion()}\n`);
  assert.match(codeVersion(), /^[0-9a-f]{16}$/);
});

test('a version stands for the code, for the packages that it loads and for Node, and not for what only tests use', () => {
  const parts = new Map(codeParts().map(({ name, content }) => [name, Buffer.from(content).toString()]));
  for (const name of ['zod', '@noble/hashes', 'secp256k1', 'fabric-shim'])
    assert.match(parts.get(name) ?? '', /^\d+\.\d+\.\d+/, name);
  assert.equal(`v${parts.get('node')}`, process.version.split('.')[0]);
  assert.ok(parts.has('contract/apply-calls.ts') && parts.has('chaincode/run-calls.ts'));
  assert.deepEqual(
    [...parts.keys()].filter((name) => /fake-peer|test\.ts$/.test(name)),
    [],
  );
  assert.equal(new Set(parts.keys()).size, codeParts().length);
});
