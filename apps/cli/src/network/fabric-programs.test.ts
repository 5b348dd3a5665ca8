import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { canHavePrograms, fabricPrograms } from './fabric-programs.ts';

test('without Go and without FABRIC_BIN there is one clear sentence, and nothing is begun', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'linkspan-no-go-'));
  const said: string[] = [];
  const ask = (env: Record<string, string>) =>
    fabricPrograms(env, (line) => void said.push(line), join(empty, 'cache'));
  try {
    await assert.rejects(
      ask({ PATH: empty }),
      (error) =>
        error instanceof Fault &&
        /^A Fabric network needs Fabric 3\.1: set FABRIC_BIN .* or install Go/.test(error.message),
    );
    await assert.rejects(
      ask({ PATH: empty, FABRIC_BIN: empty }),
      (error) => error instanceof Fault && error.message.endsWith('lacks configtxgen, configtxlator, orderer, peer.'),
    );
    assert.equal(await canHavePrograms({ PATH: empty, FABRIC_BIN: empty }), false);
    assert.deepEqual(said, []);
  } finally {
    rmSync(empty, { recursive: true });
  }
});
