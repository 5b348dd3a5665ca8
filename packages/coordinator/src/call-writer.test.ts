import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type Ledger, openEmbeddedLedger } from '@linkspan/ledger';
import { Fault, hashOf, networkChangeId, type SignedCall } from '@linkspan/protocol';
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

test('where a ledger has a use for two transactions at once, many calls go in two parts, few wait, and those of one settlement stay together', () =>
  withLedger(async (ledger, sample) => {
    const proposals = 'abcdefghijklmnopqrstuvwxy'.split('').map((name) => hashOf({ name }));
    const { gated, batches, end } = gatedLedger(ledger);
    const writer = writerOf(gated, sample);
    const bodies = proposals.flatMap((proposal) => [
      { type: 'expire', proposal } as const,
      { type: 'cancel', proposal } as const,
    ]);
    const written = bodies.map((body) => writer.write('test', body.type, body));
    await new Promise(setImmediate);
    // Half of fifty would tear the thirteenth settlement apart.
    assert.deepEqual(
      batches.map((calls) => calls.length),
      [26, 24],
    );
    const later = writer.free().then(() => writer.write('test', 'later', { type: 'expire', proposal: sample.id }));
    end(1);
    await Promise.all(written.slice(26));
    await new Promise(setImmediate);
    assert.equal(batches.length, 2, 'one call is not worth a transaction beside another one');
    end(0);
    for (const result of await Promise.all(written)) assert.equal(result.ok, false);
    await new Promise(setImmediate);
    assert.equal(batches[2]?.length, 1);
    end(2);
    await later;
    await writer.idle();
  }));

test('those who wait until the ledger is free go on beside its transaction when they are many', () =>
  withLedger(async (ledger, sample) => {
    const { gated, batches, end } = gatedLedger(ledger);
    const writer = writerOf(gated, sample);
    const write = (nonce: string) => writer.write('test', nonce, { type: 'expire', proposal: hashOf({ nonce }) });
    const first = write('first');
    const others = Array.from({ length: 20 }, async (_, i) => {
      await writer.free();
      return write(`other ${i}`);
    });
    await new Promise(setImmediate);
    assert.deepEqual(
      batches.map((calls) => calls.length),
      [1, 20],
    );
    const few = Array.from({ length: 5 }, async (_, i) => {
      await writer.free();
      return write(`few ${i}`);
    });
    await new Promise(setImmediate);
    assert.equal(batches.length, 2);
    end(0);
    end(1);
    await Promise.all([first, ...others]);
    await new Promise(setImmediate);
    end(2);
    await Promise.all(few);
    await writer.idle();
    assert.deepEqual(
      batches.map((calls) => calls.length),
      [1, 20, 5],
    );
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

test('two transactions at once that meet another key are both signed with the new one', () =>
  withLedger(async (ledger, sample) => {
    const next = testKeys('next').call;
    const signers = sample.organisations[BUYERS_SIDE];
    assert.ok(signers);
    const change = { what: 'rotate', organisation: BUYERS_SIDE, callKey: next.key } as const;
    const [proposed] = await ledger.submit([sample.call(BUYERS_SIDE, { type: 'propose-change', change, epoch: 1 })]);
    assert.ok(proposed?.ok);
    const id = networkChangeId(sample.id, 1, change);
    await ledger.submit([sample.call('csd-b', { type: 'approve-change', change: id })]);
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let submissions = 0;
    const late = { ...watched(ledger, () => undefined), transactionsAtOnce: 2 };
    const writer = new CallWriter(
      {
        ...late,
        async submit(calls) {
          await gates[submissions++]?.promise;
          return ledger.submit(calls);
        },
      },
      sample.id,
      BUYERS_SIDE,
      signers.call,
      next,
    );
    const lodge = (trade: string) => writer.write('test', trade, lodgeBody(sampleInstruction(trade, Date.now())));
    const written = Array.from({ length: 40 }, (_, i) => lodge(`T-${i}`));
    await new Promise(setImmediate);
    assert.equal(submissions, 2);
    gates[0]?.resolve();
    await written[0];
    gates[1]?.resolve();
    for (const result of await Promise.all(written)) assert.ok(result.ok);
    assert.equal(submissions, 4);
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

/** The ledger with a use for two transactions at once, each of which ends when it is told to. */
function gatedLedger(ledger: Ledger): {
  readonly gated: Ledger;
  readonly batches: (readonly SignedCall[])[];
  readonly end: (batch: number) => void;
} {
  const batches: (readonly SignedCall[])[] = [];
  const gates: (() => void)[] = [];
  const gated: Ledger = {
    ...watched(ledger, () => undefined),
    transactionsAtOnce: 2,
    submit: async (calls) => {
      const gate = Promise.withResolvers<void>();
      batches.push(calls);
      gates.push(gate.resolve);
      await gate.promise;
      return ledger.submit(calls);
    },
  };
  return { gated, batches, end: (batch) => gates[batch]?.() };
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
