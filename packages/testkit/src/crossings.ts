import type { Clock, Peers, SigningJournal } from '@linkspan/coordinator';
import type { Ledger } from '@linkspan/ledger';
import type { ValidatorClient } from '@linkspan/plugin';
import { type ErrorCode, Fault } from '@linkspan/protocol';

/** Where an organisation's coordinator meets the world. */
export const PORTS = [
  'ledger-submit',
  'ledger-evaluate',
  'ledger-event',
  'journal',
  'validator',
  'send-shares',
  'send-statements',
  'ask-shares',
] as const;
export type Port = (typeof PORTS)[number];

/** A coordinator is about to use a port, or has just used it. `to` names the other side where there are several. */
export type Crossing = {
  readonly organisation: string;
  readonly port: Port;
  readonly when: 'before' | 'after';
  readonly to: string;
};

/** What may happen at a crossing. Without an answer nobody knows whether it took place; `before` it did not, `after` it did. */
export type Incident = 'no-answer' | 'twice' | { readonly delayMs: number };

/** Looks at every crossing; may end the organisation's life there, which is then the last thing that its coordinator did. */
export type OnCrossing = (crossing: Crossing) => Incident | undefined;

/**
 * One life of a coordinator, from its start to its end. Once it has ended nothing that it still tries has any effect, and nothing that it still
 * waits for comes: what `kill -9` does to a process, done to a part of one.
 */
export class Life {
  readonly organisation: string;
  readonly #clock: Clock;
  readonly #onCrossing: () => OnCrossing | undefined;
  readonly #end = new AbortController();
  readonly #hurry = new AbortController();

  constructor(organisation: string, clock: Clock, onCrossing: () => OnCrossing | undefined) {
    this.organisation = organisation;
    this.#clock = clock;
    this.#onCrossing = onCrossing;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  end(): void {
    this.#end.abort();
    this.#hurry.abort();
  }

  /** Whatever is delayed arrives now, so that the coordinator can close in order without time going on. */
  hurry(): void {
    this.#hurry.abort();
  }

  async pass<T>(port: Port, to: string, work: () => Promise<T>): Promise<T> {
    const before = await this.cross(port, 'before', to);
    if (before === 'no-answer') throw noAnswer(port, to);
    if (before === 'twice') await work().catch(() => undefined);
    const [result] = await Promise.allSettled([work()]);
    if ((await this.cross(port, 'after', to)) === 'no-answer') throw noAnswer(port, to);
    if (result.status === 'fulfilled') return result.value;
    throw result.reason;
  }

  /** The same for what answers without waiting. */
  passAtOnce<T>(port: Port, to: string, work: () => T): T {
    this.#look(port, 'before', to);
    this.#requireLife();
    const result = work();
    this.#look(port, 'after', to);
    this.#requireLife();
    return result;
  }

  async cross(port: Port, when: Crossing['when'], to: string): Promise<Incident | undefined> {
    const incident = this.#look(port, when, to);
    if (typeof incident === 'object') await this.#clock.sleep(incident.delayMs, this.#hurry.signal);
    return this.signal.aborted ? FOR_EVER : incident;
  }

  async untilEnd<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    return this.signal.aborted ? FOR_EVER : result;
  }

  #look(port: Port, when: Crossing['when'], to: string): Incident | undefined {
    return this.signal.aborted ? undefined : this.#onCrossing()?.({ organisation: this.organisation, port, when, to });
  }

  #requireLife(): void {
    if (this.signal.aborted) throw new Fault('internal', `${this.organisation} was killed.`);
  }
}

export function livingLedger(life: Life, ledger: Ledger): Ledger {
  return {
    submit: (calls) => life.pass('ledger-submit', 'ledger', () => ledger.submit(calls)),
    evaluate: (type, args) => life.pass('ledger-evaluate', type, () => ledger.evaluate(type, args)),
    async *events(from, signal) {
      for await (const event of ledger.events(from, AbortSignal.any([signal, life.signal]))) {
        if ((await life.cross('ledger-event', 'before', String(event.block))) === 'no-answer')
          throw noAnswer('ledger-event', 'ledger');
        yield event;
        if ((await life.cross('ledger-event', 'after', String(event.block))) === 'no-answer')
          throw noAnswer('ledger-event', 'ledger');
      }
      if (life.signal.aborted) await FOR_EVER;
    },
    height: () => life.pass('ledger-evaluate', 'height', () => ledger.height()),
    async [Symbol.asyncDispose]() {},
  };
}

export function livingJournal(life: Life, journal: SigningJournal): SigningJournal {
  return {
    checkpoint: () => life.passAtOnce('journal', 'checkpoint', () => journal.checkpoint()),
    saveCheckpoint: (block) => life.passAtOnce('journal', 'save', () => journal.saveCheckpoint(block)),
    write: (...content) => life.passAtOnce('journal', 'write', () => journal.write(...content)),
    writeAgain: (...content) => life.passAtOnce('journal', 'write', () => journal.writeAgain(...content)),
    [Symbol.dispose]: () => {
      if (!life.signal.aborted) journal[Symbol.dispose]();
    },
  };
}

export function livingClock(life: Life, clock: Clock): Clock {
  return { now: () => clock.now(), sleep: (ms, signal) => life.untilEnd(clock.sleep(ms, signal)) };
}

export function livingPeers(life: Life, peers: Peers): Peers {
  return {
    sendShares: (to, ...content) => life.pass('send-shares', to, () => peers.sendShares(to, ...content)),
    sendStatements: (to, ...content) => life.pass('send-statements', to, () => peers.sendStatements(to, ...content)),
    askShares: (to, proposal) => life.pass('ask-shares', to, () => peers.askShares(to, proposal)),
  };
}

export function livingClient(life: Life, system: string, client: ValidatorClient): ValidatorClient {
  return {
    key: client.key,
    post: (path, ...content) => life.pass('validator', `${system}${path}`, () => client.post(path, ...content)),
    stream: (path, signal) => client.stream(path, AbortSignal.any([signal, life.signal])),
    close: () => client.close(),
  };
}

/** What a process that is no more waits for. */
const FOR_EVER = new Promise<never>(() => {});

const CODES: Readonly<Record<Port, ErrorCode>> = {
  'ledger-submit': 'ledger-unavailable',
  'ledger-evaluate': 'ledger-unavailable',
  'ledger-event': 'ledger-unavailable',
  journal: 'storage-unavailable',
  validator: 'validator-unavailable',
  'send-shares': 'peer-unavailable',
  'send-statements': 'peer-unavailable',
  'ask-shares': 'peer-unavailable',
};

function noAnswer(port: Port, to: string): Fault {
  return new Fault(CODES[port], `${to} gave no answer.`, { mayHaveHappened: true });
}
