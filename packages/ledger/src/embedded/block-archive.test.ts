import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as contract from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type CallBody, callId, type Hash, hashOf, hashSchema, type SignedCall } from '@linkspan/protocol';
import { lodgeBody, sampleInstruction, sampleNetwork } from '@linkspan/testkit';
import type { ArchivedCall } from '../archive.ts';
import { type EmbeddedLedger, openEmbeddedLedger } from './open-embedded-ledger.ts';

const BEGIN = 1_800_000_000_000;
const net = sampleNetwork();

/** A ledger on a clock of its own; every submission is a block. */
async function withLedger(work: (host: Host) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-archive-'));
  const clock = { now: BEGIN };
  const verify = createVerify({ memoize: 1000 });
  const open = () => openEmbeddedLedger({ directory, contract, verify, now: () => clock.now });
  const host: Host = { ledger: await open(), clock, reopen: async () => undefined };
  host.reopen = async () => {
    await host.ledger[Symbol.asyncDispose]();
    host.ledger = await open();
  };
  try {
    await submit(host, net.setUp());
    await work(host);
  } finally {
    await host.ledger[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
}

type Host = { ledger: EmbeddedLedger; readonly clock: { now: number }; reopen: () => Promise<void> };

async function submit(host: Host, calls: readonly SignedCall[]): Promise<Hash[]> {
  const results = await host.ledger.submit(calls);
  return results.flatMap((result) => {
    assert.ok(result.ok, JSON.stringify(result));
    const proposal = hashSchema.safeParse(result.value['proposal']);
    return proposal.success ? [proposal.data] : [];
  });
}

function lodges(tradeId: string): SignedCall[] {
  const body = lodgeBody(sampleInstruction(tradeId, BEGIN, 3_600_000));
  return [net.call('central-bank-a', body), net.call('csd-b', body)];
}

const call = (organisation: string, body: CallBody, nonce: string): SignedCall => net.call(organisation, body, nonce);

function ids(calls: readonly ArchivedCall[]): Hash[] {
  return calls.map(({ call: { call: one } }) => callId(one));
}

test('calls about a proposal are all there as they were accepted, once each, in order, also after a restart', () =>
  withLedger(async (host) => {
    const [first, second] = lodges('T-1');
    assert.ok(first && second);
    const [proposal] = await submit(host, [...lodges('T-0').slice(0, 1), first]).then((both) => both.slice(1));
    assert.ok(proposal);
    host.clock.now += 1000;
    // The first copy once more, which the ledger answers as before, beside the second one.
    await submit(host, [first, second]);
    host.clock.now += 1000;
    const cancel = call('csd-b', { type: 'cancel', proposal }, 'cancel');
    const refused = call('central-bank-b', { type: 'cancel', proposal }, 'refused');
    const [accepted, no] = await host.ledger.submit([cancel, refused]);
    assert.ok(accepted?.ok && no && !no.ok);
    for (const when of ['at once', 'after a restart']) {
      const calls = await host.ledger.archive.about(proposal);
      assert.deepEqual(
        calls,
        [
          { block: 2, time: BEGIN, index: 1, call: first },
          { block: 3, time: BEGIN + 1000, index: 1, call: second },
          { block: 4, time: BEGIN + 2000, index: 0, call: cancel },
        ].map((each) => JSON.parse(JSON.stringify(each))),
        when,
      );
      await host.reopen();
    }
    assert.deepEqual(await host.ledger.archive.about(hashOf('nothing')), []);
  }));

test('calls by id come in the order of the ledger; what was refused or never there is passed over', () =>
  withLedger(async (host) => {
    const [first, second] = lodges('T-1');
    assert.ok(first && second);
    await submit(host, [first]);
    await submit(host, [second]);
    const wanted = [callId(second.call), hashOf('nothing'), callId(first.call), callId(second.call)];
    assert.deepEqual(ids(await host.ledger.archive.calls(wanted)), [callId(first.call), callId(second.call)]);
  }));

test('the environment is what was registered, up to a block', () =>
  withLedger(async (host) => {
    await submit(host, lodges('T-1'));
    const account = { id: 'csd:later', party: '999900KITABANK00B013', assets: ['JPY'] };
    const late = call('csd-b', { type: 'register-account', account }, 'late');
    await submit(host, [late]);
    const early = net.setUp().map((one) => callId(one.call));
    for (const upTo of [1, 2]) assert.deepEqual(ids(await host.ledger.archive.environment(upTo)), early);
    assert.deepEqual(ids(await host.ledger.archive.environment()), [...early, callId(late.call)]);
  }));

test('a period names every proposal that changed in it once, in pages, and nothing before or after it', () =>
  withLedger(async (host) => {
    const proposals: Hash[] = [];
    for (let i = 0; i < 5; i++) {
      host.clock.now = BEGIN + 1000 * (i + 1);
      proposals.push(...(await submit(host, lodges(`T-${i}`))).slice(1));
    }
    host.clock.now = BEGIN + 10_000;
    await submit(host, [call('csd-b', { type: 'cancel', proposal: proposals[1] ?? hashOf('none') }, 'cancel')]);
    const { archive } = host.ledger;
    const page = async (from: number, to: number, limit = 100, after?: string) =>
      archive.period(BEGIN + from, BEGIN + to, { limit, after });
    assert.deepEqual(await page(2000, 4000), { proposals: proposals.slice(1, 3), next: null });
    assert.deepEqual(await page(9000, 20_000), { proposals: proposals.slice(1, 2), next: null });
    assert.deepEqual(await page(10_001, 20_000), { proposals: [], next: null });
    assert.deepEqual(await page(0, 1000), { proposals: [], next: null });
    const found: Hash[] = [];
    for (let after: string | null | undefined; after !== null;) {
      const next = await page(0, 20_000, 2, after);
      assert.ok(next.proposals.length <= 2);
      found.push(...next.proposals);
      after = next.next;
    }
    assert.deepEqual(found, proposals);
    await assert.rejects(page(0, 1, 1, '1; DROP TABLE calls'), { code: 'request-invalid' });
  }));
