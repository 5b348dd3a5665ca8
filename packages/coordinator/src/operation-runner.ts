import type { SettlementView } from '@linkspan/contract';
import type { Outcome, Verifier } from '@linkspan/plugin';
import type { Hash, SignedCertificate } from '@linkspan/protocol';
import { type Command, commands, fencesAfterPeople } from '@linkspan/scenario';
import type { CertificateDesk } from './certificate-desk.ts';
import type { Clock, Log } from './clock.ts';

/** Operations of one system that may be under way at once; further ones wait. */
const MAXIMUM_UNDER_WAY = 256;
const RETRY_AFTER_MS = 2000;

export type OperationRunnerParts = {
  readonly verifiers: ReadonlyMap<string, Verifier>;
  readonly desk: CertificateDesk;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes what validators said; the settlement may have moved on meanwhile. */
  readonly deliver: (proposal: Hash, outcome: Outcome) => void;
};

type Run = {
  readonly proposal: Hash;
  readonly do: Command['do'];
  /** The epoch of the certificate that it brings; null where it needs none. */
  readonly epoch: number | null;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
};

/**
 * Makes the operations of this organisation's own systems happen. It remembers nothing: what is to be done is read from the settlement each
 * time, and an operation that was under way before a crash is simply performed again under its id.
 */
export class OperationRunner {
  readonly #parts: OperationRunnerParts;
  readonly #runs = new Map<Hash, Run>();
  readonly #gates = new Map<string, Gate>();

  constructor(parts: OperationRunnerParts) {
    this.#parts = parts;
  }

  /** Starts what the settlement now asks of own systems, and stops what it no longer asks. */
  follow(view: SettlementView): void {
    const asked = [...commands(view.state), ...fencesAfterPeople(view.state)];
    const open = new Map(asked.map((command) => [command.operation.id, command]));
    for (const [id, run] of this.#runs) {
      const command = run.proposal === view.state.proposal ? open.get(id) : undefined;
      if (run.proposal === view.state.proposal && !(command && this.#isAsIt(run, command))) this.#stop(id, run);
    }
    for (const command of open.values()) {
      const verifier = this.#parts.verifiers.get(command.operation.system);
      if (verifier && !this.#runs.has(command.operation.id)) this.#begin(view, command, verifier);
    }
  }

  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.abort.abort();
    await Promise.all(runs.map((run) => run.ended));
  }

  #begin(view: SettlementView, command: Command, verifier: Verifier): void {
    const abort = new AbortController();
    const { id } = command.operation;
    const run: Run = {
      proposal: view.state.proposal,
      do: command.do,
      epoch: this.#epochOf(command),
      abort,
      ended: this.#run(view, command, verifier, abort.signal).finally(() => {
        if (this.#runs.get(id) === run) this.#runs.delete(id);
      }),
    };
    this.#runs.set(id, run);
  }

  /** What brings a certificate of an epoch that is no longer wanted begins again with another one; to the system it is the same operation. */
  #isAsIt(run: Run, command: Command): boolean {
    return command.do === run.do && this.#epochOf(command) === run.epoch;
  }

  #epochOf({ certificate }: Command): number | null {
    return certificate === null ? null : this.#parts.desk.epoch;
  }

  #stop(id: Hash, run: Run): void {
    run.abort.abort();
    this.#runs.delete(id);
  }

  async #run(view: SettlementView, command: Command, verifier: Verifier, signal: AbortSignal): Promise<void> {
    const { clock, deliver, log } = this.#parts;
    const { proposal } = view.state;
    await clock.sleep(command.notBefore - clock.now(), signal);
    while (!signal.aborted) {
      try {
        const outcome = await this.#perform(view, command, verifier, signal);
        if (!outcome || signal.aborted) return;
        deliver(proposal, outcome);
        if (outcome.kind === 'accepted') return;
      } catch (error) {
        if (!signal.aborted)
          log('warn', `${command.name} got no outcome`, { system: verifier.system, error: String(error) });
      }
      await clock.sleep(RETRY_AFTER_MS, signal);
    }
  }

  async #perform(
    view: SettlementView,
    command: Command,
    verifier: Verifier,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { operation, certificate: kind } = command;
    const gate = this.#gateOf(operation.system);
    // The executor of a system may fence by its own right, so a fence waits for nobody's signature.
    if (command.do === 'fence') return gate.pass(signal, () => verifier.fence(operation, 'ABRT', undefined, signal));
    // What happens by itself, some day, must not take the place of what can be done now; nor must waiting for signatures.
    if (command.do === 'attest') return verifier.attest(operation, signal);
    let certificate: SignedCertificate | undefined;
    if (kind !== null) {
      certificate = await this.#parts.desk.obtain(view, kind, signal);
      if (!certificate) return undefined;
    }
    return gate.pass(signal, () => {
      const late = command.notAfter !== null && this.#parts.clock.now() >= command.notAfter;
      return late
        ? verifier.fence(operation, 'TIMO', undefined, signal)
        : verifier.perform(operation, certificate, signal);
    });
  }

  #gateOf(system: string): Gate {
    const gate = this.#gates.get(system) ?? new Gate(MAXIMUM_UNDER_WAY);
    this.#gates.set(system, gate);
    return gate;
  }
}

/** Lets a bounded number through at once, the others in the order in which they came. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return signal.aborted ? undefined : await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
