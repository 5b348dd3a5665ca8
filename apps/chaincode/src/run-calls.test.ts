import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stored, World } from '@linkspan/contract';
import type { ContractCode } from '@linkspan/ledger';
import { accept, canonicalJson, type SignedCall } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import fc from 'fast-check';
import { runCalls } from './run-calls.ts';

const net = sampleNetwork();
const TX = { id: 'tx', time: 0 };
const KEYS = 4;

/** A call's nonce says which keys it reads, each only where the one before it is there, and which one it then writes or deletes. */
type Script = { readonly reads: readonly number[]; readonly writes: number; readonly deletes: boolean };

const scripted: ContractCode = {
  applyCalls: (world, calls) =>
    calls.map(({ call }) => {
      const { reads, writes, deletes }: Script = JSON.parse(call.nonce);
      const seen: string[] = [];
      for (const key of reads) {
        const value = world.get(String(key));
        seen.push(canonicalJson(value ?? null));
        if (value === undefined) break;
      }
      if (deletes) world.delete(String(writes));
      else world.put(String(writes), { seen });
      return accept({ seen: seen.join() });
    }),
  runQuery: () => assert.fail('nothing is asked'),
};

test('however calls read what others write, and whatever is not at hand, they end as if run in order over everything', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          reads: fc.array(fc.nat(KEYS - 1), { maxLength: 4 }),
          writes: fc.nat(KEYS - 1),
          deletes: fc.boolean(),
        }),
        { maxLength: 8 },
      ),
      fc.subarray(Array.from({ length: KEYS }, (_, i) => String(i))),
      async (scripts, present) => {
        const calls = scripts.map((script) => callOf(script));
        const stored = new Map(present.map((key) => [key, { seen: [`stored ${key}`] }]));
        const getMany = async (keys: readonly string[]) =>
          keys.map((key) => (stored.has(key) ? canonicalJson(stored.get(key)) : undefined));
        const ran = await runCalls({ contract: scripted, verify: () => true, tx: TX, calls, getMany });
        const { world, writes } = worldOver(stored);
        const expected = calls.flatMap((call) => scripted.applyCalls(world, [call]));
        assert.deepEqual(ran.results, expected);
        const texts = [...writes].map(([key, value]) => [key, value && canonicalJson(value)] as const);
        assert.deepEqual(ran.writes, new Map(texts));
      },
    ),
  ));

function callOf(script: Script): SignedCall {
  return net.call('csd-b', { type: 'expire', proposal: net.id }, JSON.stringify(script));
}

function worldOver(stored: ReadonlyMap<string, Stored>) {
  const writes = new Map<string, Stored | undefined>();
  const world: World = {
    tx: TX,
    verify: () => true,
    get: (key) => (writes.has(key) ? writes.get(key) : stored.get(key)),
    put: (key, value) => writes.set(key, value),
    delete: (key) => writes.set(key, undefined),
    emit: () => undefined,
  };
  return { world, writes };
}
