import fc from 'fast-check';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDomesticWeb } from './domestic-web.ts';
import { Api, assertBalanced, configFor, holdOf, id, position, signed } from './test-support.ts';

/** One request of the workload. Few ids, so that they collide all the time. */
type Step =
  | { kind: 'hold'; op: number; from: string; to: string; amount: number; settlement: number }
  | {
      kind: 'close';
      verb: 'execute' | 'release';
      op: number | undefined;
      hold: number;
      settlement: number;
      named: number[];
    }
  | { kind: 'fence'; op: number }
  | { kind: 'transfer'; op: number; from: string; to: string; amount: number };

type Effect = { verb: string; content: string };

const ACCOUNTS = ['0042', '0099'] as const;
const ids = fc.nat({ max: 5 });
const account = fc.constantFrom(...ACCOUNTS);
const amount = fc.integer({ min: 1, max: 400 });
const settlement = fc.constantFrom(0, 0, 0, 1);
const verb = fc.constantFrom('execute' as const, 'release' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      op: ids,
      from: account,
      to: account,
      amount,
      settlement,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      verb,
      op: fc.option(ids, { nil: undefined, freq: 1 }),
      hold: ids,
      settlement,
      named: fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fence' as const), op: ids }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('transfer' as const), op: ids, from: account, to: account, amount }),
  },
);

test('whatever is asked in whatever order, the books do what a page of rules says', async () => {
  const steps = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });
  await fc.assert(fc.asyncProperty(steps, fc.boolean(), runAgainstModel), { numRuns: 60 });
});

/** Also closes and reopens in the middle when asked to: a restart must not show. */
async function runAgainstModel(steps: Step[], restarts: boolean): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'domestic-web-model-'));
  const config = configFor(dataDir);
  let web = await startDomesticWeb(config);
  try {
    let api = await Api.connect(web.url, config, 'executor');
    const model = new Model();
    for (const [index, each] of steps.entries()) {
      if (restarts && index === 5) {
        await web.close();
        web = await startDomesticWeb(config);
        api = await Api.connect(web.url, config, 'executor');
      }
      const { status, body } = await send(api, each);
      assert.deepEqual([status, body['code']], model.step(each), JSON.stringify(each));
      for (const name of ACCOUNTS) assert.deepEqual(await position(api, name), model.position(name));
    }
    await web.close();
    assertBalanced(dataDir);
  } finally {
    await web.close();
    rmSync(dataDir, { recursive: true });
  }
}

function send(api: Api, each: Step) {
  switch (each.kind) {
    case 'hold': {
      const { from, to } = each;
      const terms = { from, to, amount: String(each.amount), settlement: id(`settlement ${each.settlement}`) };
      return api.post('/holds', holdOf(`op ${each.op}`, terms));
    }
    case 'close': {
      const kind = each.verb === 'execute' ? 'commit' : 'abort';
      const certificate = signed({
        kind,
        settlement: id(`settlement ${each.settlement}`),
        operations: each.named.map((op) => id(`op ${op}`)),
      });
      const operation = each.op === undefined ? {} : { operation: id(`op ${each.op}`) };
      return api.post(`/holds/${id(`op ${each.hold}`)}/${each.verb}`, { ...operation, certificate });
    }
    case 'fence':
      return api.post(`/operations/${id(`op ${each.op}`)}/fence`, { reason: 'TIMO' });
    case 'transfer': {
      const { from, to } = each;
      return api.post('/transfers', { id: id(`op ${each.op}`), from, to, asset: 'JPY', amount: String(each.amount) });
    }
  }
}

/** The rules once more, as short as they can be said: an id has at most one effect, a hold one end. */
class Model {
  readonly #effects = new Map<number, Effect>();
  readonly #holds = new Map<number, Step & { kind: 'hold'; ended?: string }>();
  readonly #free = new Map<string, number>([
    ['0042', 1000],
    ['0099', 50],
  ]);
  readonly #held = new Map<string, number>();

  position(name: string) {
    return { free: String(this.#free.get(name) ?? 0), held: String(this.#held.get(name) ?? 0) };
  }

  /** HTTP status and problem code. */
  step(each: Step): [number, string | undefined] {
    const used = each.op === undefined ? undefined : this.#effects.get(each.op);
    if (each.kind === 'fence') {
      if (used === undefined) this.#effects.set(each.op, { verb: 'fence', content: '' });
      return [200, undefined];
    }
    if (used?.content === this.#contentOf(each)) return [200, undefined];
    if (used?.verb === 'fence') return [409, 'operation-dead'];
    if (used !== undefined) return [409, 'id-used'];
    const answer = each.kind === 'close' ? this.#close(each) : this.#debit(each);
    const isFence = each.kind === 'close' && !this.#holds.has(each.hold);
    if (answer[1] === undefined && each.op !== undefined && !isFence) {
      this.#effects.set(each.op, { verb: each.kind, content: this.#contentOf(each) });
    }
    return answer;
  }

  /** What must be equal for a request to be a repetition; a certificate is no part of it. */
  #contentOf(each: Step): string {
    return each.kind === 'close' ? `${each.verb} ${each.hold}` : JSON.stringify(each);
  }

  #debit(each: Step & { kind: 'hold' | 'transfer' }): [number, string | undefined] {
    const { from, to } = each;
    if (from === to) return [422, 'accounts-equal'];
    const free = this.#free.get(from) ?? 0;
    if (free < each.amount) return [422, 'cash-short'];
    this.#free.set(from, free - each.amount);
    if (each.kind === 'hold') {
      this.#held.set(from, (this.#held.get(from) ?? 0) + each.amount);
      this.#holds.set(each.op, { ...each });
    } else {
      this.#free.set(to, (this.#free.get(to) ?? 0) + each.amount);
    }
    return [201, undefined];
  }

  #close(each: Step & { kind: 'close' }): [number, string | undefined] {
    const hold = this.#holds.get(each.hold);
    if (hold === undefined) return this.#closeUnknown(each);
    if (hold.settlement !== each.settlement) return [403, 'certificate-wrong-settlement'];
    if (!each.named.includes(each.hold)) return [403, 'certificate-operation-not-named'];
    if (hold.ended !== undefined) {
      return each.op === undefined && hold.ended === each.verb ? [200, undefined] : [409, 'hold-closed'];
    }
    hold.ended = each.verb;
    const taker = each.verb === 'execute' ? hold.to : hold.from;
    this.#held.set(hold.from, (this.#held.get(hold.from) ?? 0) - hold.amount);
    this.#free.set(taker, (this.#free.get(taker) ?? 0) + hold.amount);
    return [200, undefined];
  }

  /** The release of an unknown hold kills its id, if it is named, and uses up no other. */
  #closeUnknown(each: Step & { kind: 'close' }): [number, string | undefined] {
    const found = this.#effects.get(each.hold);
    const mayBeDead = each.verb === 'release' && (found === undefined || found.verb === 'fence');
    if (!mayBeDead) return [404, 'hold-unknown'];
    if (!each.named.includes(each.hold)) return [403, 'certificate-operation-not-named'];
    if (found === undefined) this.#effects.set(each.hold, { verb: 'fence', content: '' });
    return [200, undefined];
  }
}
