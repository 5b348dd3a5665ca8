import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDescription } from './api-description.ts';
import { createJudge } from './judge.ts';
import type { RawAnswer } from './raw-http.ts';

const answer = { type: 'object', properties: { phase: { type: 'string' } }, required: ['phase'] };
const content = { 'application/json': { schema: answer } };
const api = readDescription({
  paths: { '/settlements/{id}/cancel': { post: { operationId: 'cancel', responses: { 200: { content } } } } },
});
const operation = api.operations[0];
assert.ok(operation);
const judge = createJudge({ api, codes: new Map(), problem: {} });

function judged(path: string, media: string, body: object): string | undefined {
  const back: RawAnswer = {
    kind: 'answer',
    status: 200,
    headers: new Map([['content-type', media]]),
    body: Buffer.from(JSON.stringify(body)),
  };
  const nothing = Buffer.alloc(0);
  const head = `POST ${path} HTTP/1.1\r\n\r\n`;
  const raw = { head, body: nothing, delivery: 'whole' as const, behind: nothing, ends: false };
  return judge({ operation, raw, complete: true, how: 'as it is' }, back);
}

test('a problem document is no answer with the status of one, wherever the request led', () => {
  const problem = { code: 'already-recorded', status: 200, phase: 'preparing' };
  for (const path of ['/settlements/x/cancel', '/elsewhere'])
    assert.match(judged(path, 'application/problem+json', problem) ?? '', /^HTTP 200 with a problem document/);
});

test('the answer about an id whose colon is escaped is held to its schema', () => {
  const path = `/settlements/sha256%3A${'0'.repeat(64)}/cancel`;
  assert.equal(judged(path, 'application/json', { phase: 'preparing' }), undefined);
  assert.match(judged(path, 'application/json', { code: 'already-recorded' }) ?? '', /phase/);
});
