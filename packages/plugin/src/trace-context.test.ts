import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@linkspan/protocol';
import {
  currentTrace,
  newTrace,
  parseTraceparent,
  traceHeaders,
  traceOfSettlement,
  traceparent,
  withinTrace,
} from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

test('a traceparent is read as the standard says, and everything else is none', () => {
  const trace = { traceId: TRACE, parentId: PARENT };
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${PARENT}-01`), trace);
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${PARENT}-01-what-the-future-holds`), trace);
  for (const wrong of [
    undefined,
    '',
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-01-more`,
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01\r\nx: y`,
  ])
    assert.equal(parseTraceparent(wrong), undefined, wrong);
});

test('requests within a trace carry it on, each under an id of its own; outside of one they carry none', async () => {
  const trace = newTrace();
  const made = await withinTrace(trace, async () => {
    await Promise.resolve();
    return [traceHeaders(), traceHeaders()].map((headers) => parseTraceparent(headers['traceparent']));
  });
  assert.deepEqual(
    made.map((each) => each?.traceId),
    [trace.traceId, trace.traceId],
  );
  assert.notEqual(made[0]?.parentId, made[1]?.parentId);
  assert.deepEqual([traceHeaders(), currentTrace()], [{}, undefined]);
});

test('everybody finds the same trace of a settlement', () => {
  const settlement = hashOf('a settlement');
  const trace = traceOfSettlement(settlement);
  assert.deepEqual(trace, traceOfSettlement(settlement));
  assert.ok(settlement.includes(trace.traceId));
  assert.equal(parseTraceparent(traceparent(trace))?.traceId, trace.traceId);
});
