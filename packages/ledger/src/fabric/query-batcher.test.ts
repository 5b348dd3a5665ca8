import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueryBatcher } from './query-batcher.ts';

test('two messages go at once; questions that come meanwhile share the next one, and each has its own answer', async () => {
  const messages: (readonly number[])[] = [];
  const waiting: (() => void)[] = [];
  const batcher = new QueryBatcher(async (questions: readonly number[]) => {
    messages.push(questions);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return questions.map((question) => question * 10);
  });
  const first = [batcher.ask(0), batcher.ask(1)];
  await new Promise(setImmediate);
  const second = batcher.ask(2);
  await new Promise(setImmediate);
  const others = [3, 4, 5].map((question) => batcher.ask(question));
  await new Promise(setImmediate);
  assert.deepEqual(messages, [[0, 1], [2]]);
  waiting.shift()?.();
  assert.deepEqual(await Promise.all(first), [0, 10]);
  await new Promise(setImmediate);
  for (const answer of waiting) answer();
  assert.equal(await second, 20);
  assert.deepEqual(await Promise.all(others), [30, 40, 50]);
  assert.deepEqual(messages, [[0, 1], [2], [3, 4, 5]]);
});

test('more than a message takes goes in several', async () => {
  const sizes: number[] = [];
  const batcher = new QueryBatcher(async (questions: readonly number[]) => {
    sizes.push(questions.length);
    return questions;
  });
  const questions = Array.from({ length: 150 }, (_, i) => i);
  assert.deepEqual(await Promise.all(questions.map((question) => batcher.ask(question))), questions);
  assert.deepEqual(sizes, [64, 64, 22]);
});

test('a message that fails fails its own questions, and the next ones are asked', async () => {
  let broken = true;
  const batcher = new QueryBatcher(async (questions: readonly number[]) => {
    if (broken) throw new Error('no peer');
    return questions;
  });
  const failed = await Promise.allSettled([batcher.ask(1), batcher.ask(2)]);
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  broken = false;
  assert.equal(await batcher.ask(3), 3);
});
