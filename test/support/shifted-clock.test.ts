import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

test('a program with a shifted clock sees another time in every way it may ask, and dates that are written down as they are', () => {
  const clock = `${new URL('shifted-clock.ts', import.meta.url).href}?ms=-600000`;
  const program =
    'const d = new Date(); console.log(JSON.stringify([Date.now(), d.getTime(), new Date(5).getTime(), d instanceof Date]))';
  const before = Date.now();
  const said: unknown = JSON.parse(
    execFileSync(process.execPath, ['--import', clock, '--input-type=module', '-e', program], { encoding: 'utf8' }),
  );
  assert.ok(Array.isArray(said));
  const [asked, made, written, isDate]: unknown[] = said;
  for (const time of [asked, made])
    assert.ok(typeof time === 'number' && time >= before - 600_000 && time <= Date.now() - 600_000);
  assert.deepEqual([written, isDate], [5, true]);
});
