import { setTimeout as delay } from 'node:timers/promises';
import { BackOffice } from '@stand-in/back-office';
import type { DomesticAccess } from '../local-network/domestic.ts';
import { readSample, type Sample } from '../local-network/samples.ts';
import type { Client, LodgeAnswer, SettlementRead } from './client.ts';
import { type End, type Kind, type Leg, minorUnits, type Trade } from './facts.ts';
import { Random } from './random.ts';

/**
 * Samples by weight. Those with faults of their own settle here, unless their deadline comes first: faults there are enough. The buyer's account
 * is everybody's here, so one trade's missing cash would be paid by another's: `11-report-inputfile-too-small` runs alone, in `npm start`.
 */
const SAMPLES = [
  ...Array.from({ length: 6 }, () => '01-settled'),
  '02-insufficient-fcy',
  '03-insufficient-lcy',
  '04-insufficient-bond',
  '05-sides-differ',
  '06-bad-inputfile',
  '07-system-down',
  '07-system-down',
  '08-coordinator-killed',
  '09-report-settled',
  '09-report-settled',
  '09-report-settled',
  '10-report-payment-differs',
  '12-default-same-wrong-inputfile',
] as const;

/** The moment of a domestic plan that comes before everything else. */
const AT_ONCE = 'at once';
const LOOK_EVERY_MS = 200;
const LONGEST_REST_MS = 300;
/** A made rate, so that amounts differ from trade to trade and still agree with each other. */
const JPY_PER_USD = 149n;

export type LoadParts = {
  readonly root: string;
  readonly seed: string;
  /** The organisations that lodge: the buyer's, which the samples call first, and the seller's. */
  readonly first: Client;
  readonly other: Client;
  /** How participants reach the connected systems, for what they do by themselves. */
  readonly domestic: DomesticAccess;
  /** Ends everything, also what has not ended. */
  readonly enough: AbortSignal;
};

/** Trades without pause, several at a time, each followed to its end through every outage. */
export class Load {
  readonly trades: Trade[] = [];
  /** What clients were told that contradicts what they were told before. */
  readonly contradictions: string[] = [];
  /** Every settlement as its client saw it end. */
  readonly ends = new Map<string, SettlementRead>();
  readonly #parts: LoadParts;
  #count = 0;
  #stopping = false;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  /** Resolves when `stop` was called and every trade has ended, or `enough` fired. */
  async run(atOnce: number): Promise<void> {
    await Promise.all(Array.from({ length: atOnce }, () => this.#work()));
  }

  stop(): void {
    this.#stopping = true;
  }

  async #work(): Promise<void> {
    const { seed } = this.#parts;
    while (!this.#stopping) {
      const number = ++this.#count;
      // Each trade draws its own numbers: in which order the trades get on is not up to the seed.
      const random = new Random(seed, `trade ${number}`);
      await this.#trade(`t${seed}x${number}`, random);
      await delay(random.between(0, LONGEST_REST_MS));
    }
  }

  async #trade(run: string, random: Random): Promise<void> {
    const { root, enough } = this.#parts;
    const sample = vary(readSample(root, random.pick(SAMPLES), run, Date.now()), random);
    const tradeId = String(sample.instruction['tradeId']);
    let last: SettlementRead | undefined;
    const office = this.#officeOf(sample);
    const waiting = new Set(office?.moments);
    const look = async (proposal: string): Promise<End> => {
      for (;;) {
        last = await this.#parts.first.settlement(proposal);
        for (const { name, status } of last.operations) {
          if (office && status === 'effective' && waiting.delete(name)) await this.#act(office, name, tradeId);
        }
        const end = endOf(last);
        if (end) {
          this.ends.set(proposal, last);
          return end;
        }
        await delay(LOOK_EVERY_MS, undefined, { signal: enough });
      }
    };
    const begun = office && waiting.delete(AT_ONCE) ? this.#act(office, AT_ONCE, tradeId) : Promise.resolve();
    const end = await begun
      .then(() => this.#lodge(sample, tradeId, random))
      .then((answer): End | Promise<End> =>
        'codes' in answer ? { phase: 'refused', codes: answer.codes } : look(answer.proposal),
      )
      .catch((error: unknown): End => {
        if (enough.aborted) return { phase: 'stuck', state: last ? stateInWords(last) : 'no answer' };
        throw error;
      });
    const deadline = /^\d{4}-/.exec(String(sample.instruction['deadline']))
      ? Date.parse(String(sample.instruction['deadline']))
      : 0;
    this.trades.push({ tradeId, kind: kindOf(sample), ...movesOf(sample), deadlineMs: deadline, end });
  }

  #officeOf({ domestic: plan }: Sample): BackOffice | undefined {
    const access = plan && this.#parts.domestic[plan.system];
    return plan && access ? new BackOffice(plan, access) : undefined;
  }

  /** What participants do at a moment, again and again until the system answers: their requests have ids, so once is enough and twice no harm. */
  async #act(office: BackOffice, moment: string, tradeId: string): Promise<void> {
    for (;;) {
      this.#parts.enough.throwIfAborted();
      try {
        const refused = (await office.at(moment)).filter(({ done }) => !done);
        // A payment may come too late; what is lodged before anything else never does.
        if (moment === AT_ONCE)
          this.contradictions.push(
            ...refused.map(({ step, detail }) => `${tradeId}: ${step.do} was refused: ${detail}`),
          );
        return;
      } catch {
        await delay(LOOK_EVERY_MS);
      }
    }
  }

  /** Both sides, in either order or at once; some ask twice, at once or afterwards, as clients do that got no answer. */
  async #lodge(sample: Sample, tradeId: string, random: Random): Promise<LodgeAnswer> {
    const { first, other } = this.#parts;
    const [twice, again, reuse] = [random.chance(0.2), random.chance(0.3), random.chance(0.1)];
    const pause = random.chance(0.5) ? random.between(0, 400) : 0;
    const one = async (client: Client, instruction: object, key: string): Promise<LodgeAnswer> => {
      const [answer] = await Promise.all([
        client.lodge(instruction, key),
        twice ? client.lodge(instruction, key) : undefined,
      ]);
      if (again) this.#compare(tradeId, answer, await client.lodge(instruction, key));
      if (reuse && 'proposal' in answer)
        this.#mustBeReused(tradeId, await client.lodge({ ...instruction, tradeId: `${tradeId}-2` }, key));
      return answer;
    };
    const mine = one(first, sample.instruction, `${tradeId} first`);
    if (pause > 0) await delay(pause);
    const [a, b] = await Promise.all([mine, one(other, sample.otherSide, `${tradeId} other`)]);
    if ('proposal' in a && 'proposal' in b && a.proposal !== b.proposal)
      this.contradictions.push(`${tradeId}: the two sides were told of different proposals`);
    return 'proposal' in a ? a : b;
  }

  #compare(tradeId: string, before: LodgeAnswer, after: LodgeAnswer): void {
    // What was refused is forgotten and may be refused for other reasons later; what was accepted is accepted for ever.
    if ('codes' in before) return;
    if ('codes' in after)
      this.contradictions.push(`${tradeId}: lodged, and then refused under the same key: ${after.codes.join(', ')}`);
    else if (after.proposal !== before.proposal) this.contradictions.push(`${tradeId}: one key gave two proposals`);
  }

  #mustBeReused(tradeId: string, answer: LodgeAnswer): void {
    if ('codes' in answer && answer.codes.join() === 'idempotency-key-reused') return;
    this.contradictions.push(`${tradeId}: its key was taken for another body`);
  }
}

/** The sample with amounts of its own, so that nothing that is mixed up can go unseen. Faulty and differing ones stay as they are. */
function vary(sample: Sample, random: Random): Sample {
  if (['bad-inputfile', 'sides-differ', 'default-same-wrong-inputfile'].includes(sample.name)) return sample;
  const usd = BigInt(random.between(1000, 6000));
  const patch = {
    security: { ...objectOf(sample.instruction['security']), quantity: `${random.between(1, 1000)}000` },
    fcy: { amount: `${usd}.00`, currency: 'USD' },
    lcy: { amount: `${usd * JPY_PER_USD}`, currency: 'JPY' },
  };
  const instruction = { ...sample.instruction, ...patch };
  const { quantity } = patch.security;
  const { amount } = patch.lcy;
  // The one who pays another amount than agreed does so whatever was agreed.
  const paid = sample.name === 'report-payment-differs' ? String(BigInt(amount) - 1000n) : amount;
  const steps = sample.domestic?.steps.map((step) =>
    step.do === 'pay'
      ? { ...step, amount: paid }
      : { ...step, security: { ...step.security, amount: quantity }, cash: { ...step.cash, amount } },
  );
  const domestic = sample.domestic && steps && { ...sample.domestic, steps };
  return { ...sample, instruction, otherSide: instruction, domestic };
}

function kindOf({ expected: { status, because = '', differences = [], problems = [] } }: Sample): Kind {
  if (status === 'refused') return { name: 'bad', codes: problems.map(({ code }) => code) };
  if (status === 'rejected') return { name: 'differs', differences: differences.toSorted() };
  return because.includes('was refused') || because.includes('other terms')
    ? { name: 'short', because }
    : { name: 'may-settle' };
}

/** In the report's own flow only the foreign currency is held; the buyer is paid, and pays the seller for the bond. */
function movesOf({ name, instruction, domestic }: Sample): Pick<Trade, 'legs' | 'domestic'> {
  if (name === 'bad-inputfile') return { legs: [] };
  const [bond, lcy, fcy] = legsOf(instruction);
  if (!domestic) return { legs: [bond, lcy, fcy] };
  const [, buyer = ''] = String(objectOf(objectOf(instruction['buyer'])['accounts'])['lcy']).split(':');
  const payment = domestic.steps.find((step) => step.do === 'pay');
  const paid = payment ? minorUnits(payment.amount, 0) : lcy.amount;
  return {
    legs: [fcy],
    domestic: { payment: { ...lcy, to: buyer, amount: paid }, delivery: [bond, { ...lcy, from: buyer }] },
  };
}

/** What a dvp/1 instruction moves: bond from seller to buyer, local currency to the seller, foreign currency from the buyer. */
function legsOf(instruction: Readonly<Record<string, unknown>>): readonly [Leg, Leg, Leg] {
  const text = (...path: readonly string[]): string =>
    String(path.reduce<unknown>((value, name) => objectOf(value)[name], instruction));
  const leg = (from: string, to: string, asset: string, amount: bigint): Leg => {
    const [system = '', payer = ''] = from.split(':');
    return { system, from: payer, to: to.split(':')[1] ?? '', asset, amount };
  };
  const account = (party: string, name: string): string => text(party, 'accounts', name);
  return [
    leg(
      account('seller', 'security'),
      account('buyer', 'security'),
      text('security', 'isin'),
      minorUnits(text('security', 'quantity'), 0),
    ),
    leg(account('intermediary', 'lcy'), account('seller', 'lcy'), 'JPY', minorUnits(text('lcy', 'amount'), 0)),
    leg(account('buyer', 'fcy'), account('intermediary', 'fcy'), 'USD', minorUnits(text('fcy', 'amount'), 2)),
  ];
}

function endOf({ phase, settlement, decision, changedAt, differences }: SettlementRead): End | undefined {
  if (phase !== 'settled' && phase !== 'cancelled' && phase !== 'rejected') return undefined;
  return {
    phase,
    settlement: settlement?.replace('sha256:', '0x'),
    because: decision?.because ?? '',
    endedMs: Date.parse(changedAt),
    differences: differences.map(({ path }) => path).toSorted(),
  };
}

function stateInWords({ phase, operations, attention, proposal }: SettlementRead): string {
  const open = operations
    .filter(({ status }) => status === 'requested')
    .map(({ name, system, fenced }) => `${name} at ${system}${fenced ? ' (to be fenced)' : ''}`);
  const flags = attention.map(({ reason, waitingFor }) => `${reason}, waiting for ${waitingFor}`);
  return [phase, `open: ${open.join(', ') || 'nothing'}`, ...flags, proposal].join('; ');
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
