import assert from 'node:assert/strict';
import { test } from 'node:test';

import compiledToken from './compiled/holdable-cash-token.json' with { type: 'json' };
import { tokenAbi } from './compiled/token-abi.ts';
import { compileToken } from './compile.ts';

test('the committed ABI and bytecode are what the sources compile to', () => {
  const fresh = compileToken();
  assert.deepEqual(compiledToken, fresh, 'run node src/compile.ts');
  assert.deepEqual(tokenAbi, fresh.abi, 'run node src/compile.ts');
});
