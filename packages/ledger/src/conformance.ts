import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { JsonObject, Result } from '@linkspan/protocol';
import { ConformanceHost, type LedgerUnderTest, LONGEST_WAIT_MS, newLei } from './conformance-host.ts';
import type { Checkpoint, Ledger, LedgerEvent } from './ledger.ts';

/** What every host of the Ledger port must do, as tests of `node:test`. One ledger serves all of them, one after the other. */
export function ledgerConformance(name: string, setup: () => Promise<LedgerUnderTest>): void {
  describe(`ledger conformance: ${name}`, () => {
    let host: ConformanceHost;
    before(async () => {
      host = new ConformanceHost(await setup());
    });
    after(() => host.under.close());

    test('calls of one transaction read what earlier ones of it wrote', async () => {
      const results = await host.ledger.submit(host.network.setUp());
      assert.deepEqual(
        results.filter((result) => !result.ok),
        [],
      );
      const network = await host.ledger.evaluate('network', {});
      assert.ok(network.ok && network.value !== null);
    });

    for (const [title, run] of Object.entries({ ...CALLS, ...EVENTS, ...CLIENTS })) test(title, () => run(host));
  });
}

type Case = (host: ConformanceHost) => Promise<void>;

const CALLS: Readonly<Record<string, Case>> = {
  'what a submit did is seen by the next question': async (host) => {
    for (let i = 0; i < 5; i++) {
      const account = host.account();
      assert.deepEqual(await host.submit(host.register(account)), [{ ok: true, value: { id: account.id } }]);
      assert.deepEqual(await host.find(account.id), account);
    }
  },

  'each call has its own result, in order, and its own rollback': async (host) => {
    const [first, second, third] = [host.account(), host.account(), host.account()];
    const strange = host.network.call(host.network.system.owner, { type: 'register-account', account: third });
    const results = await host.submit(
      host.register(first),
      { ...strange, signature: { ...strange.signature, signature: '0'.repeat(128) } },
      host.register({ ...first, assets: ['EUR'] }),
      host.register(second),
      host.register({ ...third, party: newLei() }),
    );
    assert.deepEqual(results.map(outcome), [
      'accepted',
      'signature-invalid',
      'already-registered',
      'accepted',
      'not-registered',
    ]);
    assert.deepEqual(await Promise.all([first, second, third].map(({ id }) => host.find(id))), [
      first,
      second,
      undefined,
    ]);
  },

  'a refused call leaves no trace and is accepted once it may be': async (host) => {
    const lei = newLei();
    const call = host.register({ ...host.account(), party: lei });
    assert.deepEqual((await host.submit(call)).map(outcome), ['not-registered']);
    assert.deepEqual((await host.submit(call)).map(outcome), ['not-registered']);
    const { owner } = host.network.system;
    const party = { lei, name: 'Late Bank', bic: 'LATEJPJ0XXX', organisation: owner };
    const results = await host.submit(call, host.network.call(owner, { type: 'register-party', party }), call);
    assert.deepEqual(results.map(outcome), ['not-registered', 'accepted', 'accepted']);
  },

  'a call that has not the form of one is refused alone': async (host) => {
    const account = host.account();
    const right = host.register(account);
    const wrong = host.register(host.account(), 'n'.repeat(500));
    assert.deepEqual((await host.submit(wrong, right, wrong)).map(outcome), [
      'call-invalid',
      'accepted',
      'call-invalid',
    ]);
    assert.deepEqual(await host.find(account.id), account);
  },

  'nothing submitted is nothing done': async (host) => {
    const height = await host.ledger.height();
    assert.deepEqual(await host.ledger.submit([]), []);
    assert.equal(await host.ledger.height(), height);
  },

  'an accepted call has one effect and one answer, however often and wherever it comes': async (host) => {
    const from = await host.ledger.height();
    const tradeId = host.tradeId();
    const [call] = host.lodges(tradeId);
    const [first, second] = await host.submit(call, call);
    assert.ok(first?.ok);
    const later = await Promise.all([
      host.submit(call),
      host.submit(call),
      host.submit(host.register(host.account()), call),
    ]);
    await host.restart();
    const answers = [second, ...later.map((results) => results.at(-1)), ...(await host.submit(call))];
    for (const answer of answers) assert.deepEqual(answer, first);
    const events = await host.eventsUntilMarker(from);
    assert.equal(events.filter((event) => event.tradeId === tradeId).length, 1);
  },
};

const EVENTS: Readonly<Record<string, Case>> = {
  'events are complete and in the order of calls and blocks': async (host) => {
    const from = await host.ledger.height();
    const trades = Array.from({ length: 4 }, () => host.tradeId());
    const [a, b, c, d] = trades.map((tradeId) => host.lodges(tradeId));
    assert.ok(a && b && c && d);
    const results = [
      ...(await host.submit(a[0], b[0], b[1])),
      ...(await host.submit(a[1], c[0])),
      ...(await host.submit(d[0])),
    ];
    assert.deepEqual(results.map(outcome), Array(6).fill('accepted'));
    const seen = (await host.eventsUntilMarker(from)).map(
      ({ tradeId, sequence }) => `${trades.indexOf(tradeId)}/${sequence}`,
    );
    assert.deepEqual(seen, ['0/1', '1/1', '1/2', '0/2', '2/1', '3/1']);
  },

  'refused calls cause no event': async (host) => {
    const from = await host.ledger.height();
    const tradeId = host.tradeId();
    const stranger = host.network.call(host.network.system.owner, {
      type: 'retract',
      proposal: `sha256:${'ab'.repeat(32)}`,
    });
    assert.deepEqual((await host.submit(stranger)).map(outcome), ['not-registered']);
    const [call] = host.lodges(tradeId);
    assert.deepEqual((await host.submit(stranger, call)).map(outcome), ['not-registered', 'accepted']);
    assert.deepEqual(
      (await host.eventsUntilMarker(from)).map((event) => event.tradeId),
      [tradeId],
    );
  },

  'events resume after every checkpoint, also after a restart': async (host) => {
    for (let i = 0; i < 5; i++) await host.submit(...host.lodges(host.tradeId()));
    const all = await host.blocksUntilMarker(0);
    assert.ok(all.length > 5);
    for (const place of ['before', 'after'] as const) {
      if (place === 'after') await host.restart();
      const end = await host.ledger.height();
      // Before, at and after every block, and at the end; how a host numbers its blocks is its own affair.
      const places = new Set([0, ...all.flatMap(({ block }) => [block - 1, block]), end]);
      for (const from of places) {
        const expected = all.filter(({ block }) => block > from);
        assert.deepEqual(
          await take(host.ledger, from, expected.length),
          expected,
          `${place} the restart, after block ${from}`,
        );
      }
    }
  },

  'a reader that waits gets what comes, each block once, until its signal fires': async (host) => {
    const from = await host.ledger.height();
    const stop = new AbortController();
    const seen: number[] = [];
    const enough = Promise.withResolvers<void>();
    const reading = (async () => {
      for await (const { block } of host.ledger.events(from, stop.signal)) if (seen.push(block) === 6) enough.resolve();
    })();
    for (let i = 0; i < 3; i++) for (const call of host.lodges(host.tradeId())) await host.submit(call);
    await within(enough.promise, 'six blocks');
    stop.abort();
    await within(reading, 'the end of the reading');
    assert.equal(seen.length, 6);
    assert.deepEqual(
      seen,
      [...new Set(seen)].toSorted((a, b) => a - b),
    );
  },

  'a signal that has fired ends the reading at once': async (host) => {
    for await (const event of host.ledger.events(0, AbortSignal.abort())) assert.fail(`block ${event.block}`);
  },

  'a slow reader misses nothing': async (host) => {
    const from = await host.ledger.height();
    const expected = [host.tradeId()];
    const seen: string[] = [];
    await host.submit(host.lodges(expected[0] ?? '')[0]);
    for await (const { events } of host.ledger.events(from, AbortSignal.timeout(LONGEST_WAIT_MS))) {
      seen.push(...events.map((event) => event.tradeId));
      // While this reader is busy with one block, more are written than it has seen.
      const more = expected.length < 20 ? Array.from({ length: 5 }, () => host.tradeId()) : [];
      for (const tradeId of more) await host.submit(host.lodges(tradeId)[0]);
      expected.push(...more);
      if (seen.length === expected.length) break;
    }
    assert.deepEqual(seen, expected);
  },

  'time never goes back and keeps to the clock': async (host) => {
    const from = await host.ledger.height();
    const earliest = host.under.now() - host.network.toleranceMs;
    for (let i = 0; i < 5; i++) await host.submit(host.lodges(host.tradeId())[0]);
    const latest = host.under.now() + host.network.toleranceMs;
    const times = (await host.blocksUntilMarker(from)).map(({ time }) => time);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    for (const time of times.slice(0, 5))
      assert.ok(time >= earliest && time <= latest, `${earliest} <= ${time} <= ${latest}`);
    for (const time of times) assert.ok(Number.isSafeInteger(time));
  },
};

const CLIENTS: Readonly<Record<string, Case>> = {
  'of many that claim one name at once, one wins, and everybody is told the same': async (host) => {
    const claimed = host.account();
    const claims = Array.from({ length: 16 }, (_, i) => ({ ...claimed, assets: [`CLAIM-${i}`] }));
    const results = (await Promise.all(claims.map((claim) => host.submit(host.register(claim))))).flat();
    const winners = claims.filter((_, i) => results[i]?.ok);
    assert.equal(winners.length, 1);
    assert.deepEqual(new Set(results.map(outcome)), new Set(['accepted', 'already-registered']));
    assert.deepEqual(await host.find(claimed.id), winners[0]);
  },

  'several clients at once: nothing lost, nothing mixed up, and every reader sees one order': async (host) => {
    const from = await host.ledger.height();
    const client = async () => {
      const own: string[] = [];
      for (let i = 0; i < 10; i++) {
        const tradeId = host.tradeId();
        const results = await host.submit(...host.lodges(tradeId));
        assert.deepEqual(
          results.map((result) => result.ok && result.value['tradeId']),
          [tradeId, tradeId],
        );
        own.push(tradeId);
      }
      return own;
    };
    const trades = await Promise.all([client(), client(), client()]);
    const [first, second] = await Promise.all([host.blocksUntilMarker(from), host.blocksUntilMarker(from)]);
    assert.ok(first && second);
    const common = Math.min(first.length, second.length) - 1;
    assert.deepEqual(first.slice(0, common), second.slice(0, common));
    const seen = first.flatMap(({ events }) => events.map((event) => event.tradeId));
    for (const own of trades) {
      assert.deepEqual(
        seen.filter((tradeId) => own.includes(tradeId)),
        own.flatMap((tradeId) => [tradeId, tradeId]),
      );
    }
  },

  'a question sees whole transactions only': async (host) => {
    const pairs = Array.from({ length: 10 }, () => [host.account(), host.account()] as const);
    const watched = new Set(pairs.flat().map(({ id }) => id));
    const stop = new AbortController();
    let looks = 0;
    const watching = (async () => {
      while (!stop.signal.aborted) {
        const accounts = await host.accounts();
        assert.equal(accounts.filter(({ id }) => watched.has(id)).length % 2, 0);
        looks += 1;
        await new Promise(setImmediate);
      }
    })();
    for (const [one, other] of pairs) await host.submit(host.register(one), host.register(other));
    stop.abort();
    await watching;
    assert.ok(looks > 0);
  },

  'what was answered is there after a restart': async (host) => {
    const before = await host.accounts();
    const height = await host.ledger.height();
    await host.restart();
    assert.deepEqual(await host.accounts(), before);
    assert.ok((await host.ledger.height()) >= height);
    const account = host.account();
    await host.submit(host.register(account));
    assert.deepEqual(await host.find(account.id), account);
  },
};

async function take(ledger: Ledger, from: Checkpoint, count: number): Promise<LedgerEvent[]> {
  const taken: LedgerEvent[] = [];
  if (count === 0) return taken;
  for await (const event of ledger.events(from, AbortSignal.timeout(LONGEST_WAIT_MS)))
    if (taken.push(event) === count) break;
  return taken;
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no ${what} within ${LONGEST_WAIT_MS} ms`)), LONGEST_WAIT_MS);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function outcome(result: Result<JsonObject>): string {
  return result.ok ? 'accepted' : result.refusal.code;
}
