import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

test('a contract whose port another program has ends at once, with a code and a sentence that say so', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  try {
    const bound = other.address();
    assert.ok(typeof bound === 'object' && bound);
    const address = `127.0.0.1:${bound.port}`;
    const args = [join(import.meta.dirname, 'main.ts'), '--address', address, '--id', 'linkspan_1:x'];
    const { code, stderr } = await new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
      execFile(process.execPath, args, (error, _, words) => resolve({ code: error?.code, stderr: words }));
    });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`The contract cannot listen on ${address}: .*EADDRINUSE`));
  } finally {
    other.close();
  }
});
