import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedJson } from './bounded-json.ts';

async function* chunks(text: string, count: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.from(text);
}

test('a body is read no further than it may be long', async () => {
  assert.deepEqual(await boundedJson(chunks('[1]', 1), 3), [1]);
  await assert.rejects(boundedJson(chunks('[1]', 1), 2), /more than 2 bytes/);
  // It never ends by itself.
  await assert.rejects(boundedJson(chunks(' '.repeat(1000), Infinity), 1_000_000), /more than 1000000 bytes/);
});

test('what is no JSON is an error', async () => {
  await assert.rejects(boundedJson(chunks('{', 1), 100), SyntaxError);
});
