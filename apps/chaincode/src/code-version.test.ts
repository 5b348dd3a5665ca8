import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeVersion } from './code-version.ts';

test('the program says what code it is, as short and plain as Fabric takes for a version', () => {
  const said = execFileSync(process.execPath, [join(import.meta.dirname, 'main.ts'), '--version'], {
    encoding: 'utf8',
  });
  assert.equal(said, `${codeVersion()}\n`);
  assert.match(codeVersion(), /^[0-9a-f]{16}$/);
});
