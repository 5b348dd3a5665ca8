import { createHash } from 'node:crypto';
import type { DomesticPlan, LodgeStep, PayStep, Step } from './domestic-plan.ts';
import { isObject } from './domestic-plan.ts';
import { ParticipantClient } from './participant-client.ts';
import type { Reply } from './participant-client.ts';

export type BackOfficeOptions = {
  /** Where the system's Web API is. */
  readonly url: string;
  /** The secret of a participant's client. */
  readonly secretOf: (client: string) => string;
};

/** What became of a step; `detail` is the system's own words where it refused. */
export type StepOutcome = { readonly step: Step; readonly done: boolean; readonly detail: string };

/** Does what a plan says, moment by moment, each step as the participant whose it is. */
export class BackOffice {
  readonly #plan: DomesticPlan;
  readonly #options: BackOfficeOptions;
  readonly #clients = new Map<string, ParticipantClient>();

  constructor(plan: DomesticPlan, options: BackOfficeOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  /** Every moment of the plan, once each, in the order of its steps. */
  get moments(): readonly string[] {
    return [...new Set(this.#plan.steps.map((step) => step.when))];
  }

  /** Does the steps of one moment in their order. What the system refuses is an outcome; a system without an answer is an error. */
  async at(moment: string): Promise<readonly StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    for (const step of this.#plan.steps.filter(({ when }) => when === moment)) outcomes.push(await this.#do(step));
    return outcomes;
  }

  async #do(step: Step): Promise<StepOutcome> {
    const reply = step.do === 'pay' ? await this.#pay(step) : await this.#lodge(step);
    if (reply === undefined) return { step, done: true, detail: 'nothing to pay' };
    if (reply.status < 300) return { step, done: true, detail: '' };
    const { detail } = reply.body;
    return { step, done: false, detail: typeof detail === 'string' ? detail : `HTTP ${reply.status}` };
  }

  async #pay(step: PayStep): Promise<Reply | undefined> {
    const client = this.#clientOf(step.by);
    const { trade, from, to, asset } = step;
    const amount = step.amount === 'all' ? await freeOn(client, from, asset) : step.amount;
    if (amount === '0') return undefined;
    return client.post('/transfers', { id: idOf({ ...step, amount }), trade, from, to, asset, amount });
  }

  #lodge(step: LodgeStep): Promise<Reply> {
    const { trade, security, cash, hold } = step;
    return this.#clientOf(step.by).post('/dvp', { id: idOf(step), trade, security, cash, hold });
  }

  #clientOf(id: string): ParticipantClient {
    const client = this.#clients.get(id) ?? new ParticipantClient(this.#options.url, id, this.#options.secretOf(id));
    this.#clients.set(id, client);
    return client;
  }
}

/** The same step is the same request, however often it is done. */
function idOf(step: Step): string {
  return `0x${createHash('sha256').update(JSON.stringify(step)).digest('hex')}`;
}

async function freeOn(client: ParticipantClient, account: string, asset: string): Promise<string> {
  const { body } = await client.get(`/accounts/${account}`);
  const positions: readonly unknown[] = Array.isArray(body['positions']) ? body['positions'] : [];
  const position = positions.filter(isObject).find((each) => each['asset'] === asset);
  const free = position?.['free'];
  return typeof free === 'string' ? free : '0';
}
