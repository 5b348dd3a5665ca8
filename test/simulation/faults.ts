import type { Crossing, Incident, InProcessNetwork, SystemIncident, SystemRequest } from '@linkspan/testkit';
import { sendForgeries } from './forgeries.ts';
import type { Random } from './random.ts';

export type Write = (line: string) => void;

/** Does harm to a network until it is told to stop, every bit of it drawn from the seed. */
export class Faults {
  readonly #network: InProcessNetwork;
  readonly #random: Random;
  readonly #write: Write;
  /** How bad this run is: the chance of an incident at each crossing. */
  readonly #rate: number;
  readonly #returns = new Map<string, { readonly at: number; readonly come: () => void }>();
  #active = true;

  constructor(network: InProcessNetwork, random: Random, write: Write) {
    this.#network = network;
    this.#random = random;
    this.#write = write;
    this.#rate = random.pick([0, 0.005, 0.02, 0.1]);
    network.onCrossing = (crossing) => this.#crossed(crossing);
    for (const system of network.systems.values()) system.onRequest = (request) => this.#asked(system.system, request);
    const liar = random.between(0, 5);
    const validator = network.validatorsOf('fcy-evm')[liar];
    if (validator) {
      write(`validator ${liar} of fcy-evm is a liar`);
      validator.lie = (statement) => ({ ...statement, transaction: 'made up' });
    }
  }

  /** What breaks or comes back by itself, between one moment and the next. */
  pass(): void {
    const now = this.#network.clock.now();
    for (const [name, { at, come }] of this.#returns) {
      if (this.#active && now < at) continue;
      this.#returns.delete(name);
      this.#write(`${name} comes back`);
      come();
    }
    if (!this.#active || !this.#random.chance(this.#rate * 4)) return;
    const kind = this.#random.pick(['system', 'validator', 'organisation', 'second', 'forger', 'forger']);
    if (kind === 'system') this.#stopSystem();
    else if (kind === 'validator') this.#stopValidator();
    else if (kind === 'organisation') this.#kill(this.#anOrganisation());
    else if (kind === 'second') this.#startSecond(this.#anOrganisation());
    else this.#forge();
  }

  /** Nothing breaks any more, and everything comes back. */
  stop(): void {
    this.#active = false;
    this.#write('faults stop');
    this.pass();
  }

  #crossed(crossing: Crossing): Incident | undefined {
    if (!this.#active || !this.#random.chance(this.#rate)) return undefined;
    const { organisation, port, when, to } = crossing;
    const fate = this.#random.pick(['no-answer', 'no-answer', 'delay', 'twice', 'kill'] as const);
    this.#write(`${organisation} ${when} ${port} ${to}: ${fate}`);
    if (fate === 'kill') this.#kill(organisation);
    else if (port !== 'journal') return fate === 'delay' ? { delayMs: this.#random.between(1, 4_000) } : fate;
    return undefined;
  }

  #asked(system: string, { method, executor }: SystemRequest): SystemIncident | undefined {
    if (!this.#active || !this.#random.chance(this.#rate)) return undefined;
    const fate = this.#random.pick(['lose-request', 'lose-answer', 'delay', 'late'] as const);
    this.#write(`${system} ${executor} ${method}: ${fate}`);
    if (fate === 'delay') return { delayMs: this.#random.between(1, 4_000) };
    return fate === 'late' ? { arriveAfterMs: this.#random.between(1, 60_000) } : fate;
  }

  /** Somebody tells everybody that what is open is dead, and fills their books with signatures that nobody asked for. */
  #forge(): void {
    const organisation = this.#anOrganisation();
    this.#write(`${organisation} forges`);
    sendForgeries(this.#network, organisation).catch((error: unknown) =>
      this.#write(`forging failed: ${String(error)}`),
    );
  }

  #stopSystem(): void {
    const system = this.#network.system(this.#random.pick(['fcy-evm', 'rtgs', 'csd']));
    if (system.down) return;
    system.down = true;
    this.#later(`system ${system.system}`, () => {
      system.down = false;
      system.wake();
    });
  }

  #stopValidator(): void {
    const index = this.#random.between(0, 2);
    const validator = this.#network.validatorsOf('fcy-evm')[index];
    if (!validator || validator.down) return;
    validator.down = true;
    this.#later(`validator ${index}`, () => {
      validator.down = false;
    });
  }

  #kill(organisation: string): void {
    if (this.#network.state(organisation) === 'gone') return;
    this.#network.kill(organisation);
    this.#later(organisation, () => this.#start(organisation));
  }

  #startSecond(organisation: string): void {
    if (this.#network.state(organisation) !== 'runs') return;
    this.#write(`a second coordinator of ${organisation}`);
    this.#start(organisation);
  }

  /** Goes on by itself. It may find no ledger while it starts; then it comes later. */
  #start(organisation: string): void {
    this.#network.start(organisation).catch((error: unknown) => {
      this.#write(`${organisation} does not start: ${String(error)}`);
      if (this.#network.state(organisation) === 'gone') this.#later(organisation, () => this.#start(organisation));
    });
  }

  #later(name: string, come: () => void): void {
    const forMs = this.#random.between(10, 15_000);
    this.#write(`${name} is away for ${forMs} ms`);
    this.#returns.set(name, { at: this.#network.clock.now() + forMs, come });
  }

  #anOrganisation(): string {
    return this.#random.pick(['central-bank-a', 'central-bank-b', 'csd-b']);
  }
}
