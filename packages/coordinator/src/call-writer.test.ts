import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type Ledger, openEmbeddedLedger } from '@linkspan/ledger';
import { Fault, networkChangeId, type SignedCall } from '@linkspan/protocol';
import { lodgeBody, type SampleNetwork, sampleInstruction, sampleNetwork, testKeys } from '@linkspan/testkit';
import { CallWriter } from './call-writer.ts';

const BUYERS_SIDE = 'central-bank-a';

test('what is asked while a transaction runs goes into the next one, under one signature, and each gets its own answer', () =>
  withLedger(async (ledger, sample) => {
    const batches: number[] = [];
    const writer = writerOf(
      watched(ledger, (calls) => batches.push(calls.length)),
      sample,
    );
    const now = Date.now();
    const bodies = Array.from({ length: 20 }, (_, i) => lodgeBody(sampleInstruction(`T-${i}`, now)));
    const results = await Promise.all([
      ...bodies.map((body, i) => writer.write('test', `nonce ${i}`, body)),
      writer.write('test', 'nonce', { type: 'expire', proposal: sample.id }),
    ]);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [...bodies.map(() => true), false],
    );
    assert.equal(
      batches.reduce((sum, size) => sum + size, 0),
      21,
    );
    assert.ok(batches.length <= 2, `it took ${batches.length} transactions`);
  }));

test('who waits until the ledger is free says all at once; how long it takes is known meanwhile', () =>
  withLedger(async (ledger, sample) => {
    const batches: number[] = [];
    let now = 0;
    const gate = Promise.withResolvers<void>();
    const slow: Ledger = {
      ...ledger,
      submit: async (calls) => {
        batches.push(calls.length);
        if (batches.length === 1) await gate.promise;
        return ledger.submit(calls);
      },
    };
    const signers = sample.organisations[BUYERS_SIDE];
    assert.ok(signers);
    const writer = new CallWriter(slow, sample.id, BUYERS_SIDE, signers.call, undefined, () => now);
    await writer.free();
    assert.equal(writer.paceMs, 0);
    const lodge = (tradeId: string) => writer.write('test', tradeId, lodgeBody(sampleInstruction(tradeId, Date.now())));
    const first = lodge('T-0');
    const others = Array.from({ length: 5 }, async (_, i) => {
      await writer.free();
      return lodge(`T-${i + 1}`);
    });
    await new Promise(setImmediate);
    now = 700;
    assert.equal(writer.paceMs, 700);
    now = 900;
    gate.resolve();
    for (const result of await Promise.all([first, ...others])) assert.ok(result.ok);
    assert.deepEqual(batches, [1, 5]);
  }));

test('an equal call under an equal nonce is the same call', () =>
  withLedger(async (ledger, sample) => {
    const writer = writerOf(ledger, sample);
    const body = lodgeBody(sampleInstruction('T-1', Date.now()));
    const first = await writer.write('test', 'nonce', body);
    const height = await ledger.height();
    assert.deepEqual(await writer.write('test', 'nonce', body), first);
    assert.equal(await ledger.height(), height);
  }));

test('without an answer a call may have happened; the writer goes on with the next one', () =>
  withLedger(async (ledger, sample) => {
    let silent = true;
    const unsure = watched(ledger, () => {
      if (silent) throw new TypeError('the line is dead');
    });
    const writer = writerOf(unsure, sample);
    const body = lodgeBody(sampleInstruction('T-1', Date.now()));
    await assert.rejects(writer.write('test', 'nonce', body), (error) => {
      return error instanceof Fault && error.code === 'ledger-unavailable' && error.mayHaveHappened;
    });
    silent = false;
    assert.ok((await writer.write('test', 'nonce', body)).ok);
    await writer.idle();
  }));

test('once the organisation has another key, what is refused for the old one is signed with the new one, and so is all that follows', () =>
  withLedger(async (ledger, sample) => {
    const next = testKeys('next').call;
    const signers = sample.organisations[BUYERS_SIDE];
    assert.ok(signers);
    let submissions = 0;
    const counting = watched(ledger, () => void submissions++);
    const writer = new CallWriter(counting, sample.id, BUYERS_SIDE, signers.call, next);
    const lodge = (id: string) => writer.write('test', id, lodgeBody(sampleInstruction(id, Date.now())));
    assert.ok((await lodge('T-1')).ok);
    assert.equal(submissions, 1, 'the key that counts is tried first');
    const change = { what: 'rotate', organisation: BUYERS_SIDE, callKey: next.key } as const;
    assert.ok((await writer.write('test', 'propose', { type: 'propose-change', change, epoch: 1 })).ok);
    const id = networkChangeId(sample.id, 1, change);
    const [approved] = await ledger.submit([sample.call('csd-b', { type: 'approve-change', change: id })]);
    assert.ok(approved?.ok && approved.value['standing'] === 'effective');
    submissions = 0;
    const results = await Promise.all(['T-2', 'T-3'].map(lodge));
    assert.ok(results.every(({ ok }) => ok));
    assert.equal(submissions, 2);
    assert.ok((await lodge('T-4')).ok);
    assert.equal(submissions, 3, 'the old key is not tried again');
  }));

function writerOf(ledger: Ledger, sample: SampleNetwork): CallWriter {
  const signers = sample.organisations[BUYERS_SIDE];
  assert.ok(signers);
  return new CallWriter(ledger, sample.id, BUYERS_SIDE, signers.call);
}

/** The ledger, with somebody at the door. */
function watched(ledger: Ledger, look: (calls: readonly SignedCall[]) => void): Ledger {
  return {
    async submit(calls) {
      look(calls);
      return ledger.submit(calls);
    },
    evaluate: (type, args) => ledger.evaluate(type, args),
    events: (from, signal) => ledger.events(from, signal),
    height: () => ledger.height(),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
}

async function withLedger(work: (ledger: Ledger, sample: SampleNetwork) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-writer-'));
  try {
    const verify = createVerify({ memoize: 1_000 });
    await using ledger = await openEmbeddedLedger({
      directory,
      contract: { applyCalls, runQuery },
      verify,
      now: () => Date.now(),
    });
    const sample = sampleNetwork();
    await ledger.submit(sample.setUp());
    await work(ledger, sample);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
