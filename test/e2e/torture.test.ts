import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const reportSchema = z.looseObject({
  kills: z.record(z.string(), z.int()),
  ends: z.record(z.string(), z.int()),
  wrong: z.array(z.string()),
});

test('F1 F2 F3 F4 F5 F50 processes killed at any moment, twenty times: every trade ends right, every balance reconciles, nothing happens twice', async (t) => {
  const child = spawn(process.execPath, ['tools/torture.ts', '--kills', '20', '--seed', 'test', '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  const report = reportSchema.parse(JSON.parse(output.trimEnd().split('\n').at(-1) ?? ''));
  assert.deepEqual(report.wrong, [], output);
  assert.equal(code, 0);
  assert.equal(
    Object.values(report.kills).reduce((sum, each) => sum + each, 0),
    20,
  );
  // Under a load that hardly began nothing would have been proven.
  for (const end of ['may-settle settled', 'short cancelled', 'differs rejected', 'bad refused'])
    assert.ok((report.ends[end] ?? 0) > 0, `${end}: none`);
});
