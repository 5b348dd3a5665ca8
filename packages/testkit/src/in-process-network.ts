import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyCalls, runQuery, type SettlementView } from '@linkspan/contract';
import {
  type Clock,
  type Coordinator,
  createCoordinator,
  type Log,
  openSigningJournal,
  type OrganisationSigners,
  type Peers,
} from '@linkspan/coordinator';
import { createVerify } from '@linkspan/keys';
import { type Ledger, openEmbeddedLedger } from '@linkspan/ledger';
import { type Connector, createVerifier } from '@linkspan/plugin';
import {
  type CallBody,
  type DvpInstruction,
  Fault,
  type Hash,
  hashSchema,
  type JsonObject,
  type NetworkDefinition,
  networkDefinitionSchema,
  type Phase,
  type Result,
  type Verify,
} from '@linkspan/protocol';
import {
  Life,
  livingClient,
  livingClock,
  livingJournal,
  livingLedger,
  livingPeers,
  type OnCrossing,
} from './crossings.ts';
import { type InProcessValidator, startInProcessValidator } from './in-process-validator.ts';
import type { Balances } from './memory-books.ts';
import { MemorySystem } from './memory-system.ts';
import { lodgeBody, type SampleNetwork, sampleNetwork } from './sample-network.ts';
import { realClock, VirtualTime } from './virtual-time.ts';

export type InProcessNetworkOptions = {
  /** A ledger without genesis or with that of this network, which stays the caller's. Otherwise an embedded one in a directory that is removed in the end. */
  readonly ledger?: Ledger;
  /** The node of each organisation's own, on the same ledger; otherwise all share the one above. */
  readonly ledgerOf?: (organisation: string) => Ledger;
  /** The folder of the organisations' signing journals, which stay. Otherwise they are removed in the end. */
  readonly journals?: string;
  /** Virtual time, already installed. Otherwise the machine's. */
  readonly time?: VirtualTime;
  /** Opening balances by system, instead of those of the local network for the accounts that are named. */
  readonly balances?: Readonly<Record<string, Balances>>;
  /** A connector of one validator to a real system that stands in the place of this kit's own, which then shows nothing. Disposed of with the network. */
  readonly connectorOf?: (system: string, validator: number) => Connector | undefined;
  readonly log?: Log;
  /** Freezes what the contract stores and checks that it is plain JSON. Costs time. */
  readonly strict?: boolean;
};

/** One life of an organisation's coordinator, which is not there yet while it starts. */
type Running = { readonly life: Life; coordinator: Coordinator | undefined };

/** The balances of one system: `account asset` to minor units. */
export type Totals = Readonly<Record<string, { readonly balance: bigint; readonly held: bigint }>>;

/** Starts the local network's three organisations with their systems and validators in this process, all of them running. */
export async function inProcessNetwork(options: InProcessNetworkOptions = {}): Promise<InProcessNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-network-'));
  const clock = options.time ?? realClock;
  const verify = createVerify({ memoize: 20_000 });
  const contract = { applyCalls, runQuery };
  const { strict = false } = options;
  const ledger =
    options.ledger ??
    (await openEmbeddedLedger({
      directory: join(directory, 'ledger'),
      contract,
      verify,
      now: () => clock.now(),
      strict,
    }));
  const network = new InProcessNetwork(options, { directory, clock, verify, ledger });
  for (const result of await ledger.submit(network.sample.setUp())) {
    if (!result.ok) throw new Error(`the network cannot be set up: ${result.refusal.message}`);
  }
  for (const organisation of network.organisations) await network.start(organisation);
  return network;
}

/** Runs something on a network of its own under virtual time, and closes everything behind it. */
export async function withVirtualNetwork(
  work: (network: InProcessNetwork, time: VirtualTime) => Promise<void>,
  options: Omit<InProcessNetworkOptions, 'time'> = {},
): Promise<void> {
  const time = new VirtualTime();
  using opened = new DisposableStack();
  opened.use(time.install());
  await using network = await inProcessNetwork({ ...options, time });
  await work(network, time);
}

type Parts = { readonly directory: string; readonly clock: Clock; readonly verify: Verify; readonly ledger: Ledger };

/**
 * A whole network in one process, fast enough to try thousands of things: the real contract on a real ledger, real coordinators, Verifiers and
 * validators, real keys and signatures. Only the connected systems, HTTP and, where virtual, time are this kit's own.
 */
export class InProcessNetwork implements AsyncDisposable {
  readonly sample: SampleNetwork = sampleNetwork();
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly verify: Verify;
  readonly systems: ReadonlyMap<string, MemorySystem>;
  readonly validators: ReadonlyMap<string, readonly InProcessValidator[]>;
  readonly organisations: readonly string[];
  /** Keys that organisations hold beside those of the genesis, for a change that puts them in their place; read when a coordinator starts. */
  readonly nextKeys: Record<string, Pick<OrganisationSigners, 'nextCall' | 'nextCertificate'>> = {};
  /** Looks at everything that coordinators do, and may interfere. */
  onCrossing: OnCrossing | undefined;
  readonly #definition: NetworkDefinition = readDefinition();
  readonly #options: InProcessNetworkOptions;
  readonly #directory: string;
  readonly #running = new Map<string, Running[]>();

  constructor(options: InProcessNetworkOptions, { directory, clock, verify, ledger }: Parts) {
    this.#options = options;
    this.#directory = directory;
    this.ledger = ledger;
    this.clock = clock;
    this.verify = verify;
    this.organisations = this.#definition.organisations.map(({ id }) => id);
    this.systems = new Map(this.#definition.systems.map(({ id }) => [id, this.#openSystem(id)]));
    this.validators = new Map([...this.systems].map(([id, system]) => [id, this.#openValidators(id, system)]));
  }

  /** Starts the organisation's coordinator; once more, while it runs, starts a second one beside it on the same journal. Throws what keeps it from starting. */
  async start(organisation: string): Promise<void> {
    const signers = this.sample.organisations[organisation];
    if (!signers) throw new Error(`there is no organisation ${organisation}`);
    const life = new Life(organisation, this.clock, () => this.onCrossing);
    const running: Running = { life, coordinator: undefined };
    this.#running.set(organisation, [...this.#of(organisation), running]);
    life.signal.addEventListener('abort', () => this.#forget(organisation, running), { once: true });
    const verifiers = new Map(
      this.#systemsOf(organisation).map((system) => [system, this.#openVerifier(life, system)]),
    );
    const journal = openSigningJournal(this.journalPath(organisation));
    life.signal.addEventListener('abort', () => journal[Symbol.dispose](), { once: true });
    const starting = createCoordinator({
      organisation,
      ledger: livingLedger(life, this.#options.ledgerOf?.(organisation) ?? this.ledger),
      signers: { ...signers, ...this.nextKeys[organisation] },
      verifiers,
      peers: livingPeers(life, this.#peers()),
      journal: livingJournal(life, journal),
      verify: this.verify,
      clock: livingClock(life, this.clock),
      log: this.#options.log ?? (() => undefined),
    });
    const killed = new Promise<undefined>((resolve) => {
      life.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    running.coordinator = await Promise.race([starting, killed]).catch((error: unknown) => {
      life.end();
      throw error;
    });
  }

  /** Ends the organisation's coordinators at this very moment. Whatever they were doing stays as it is. */
  kill(organisation: string): void {
    for (const { life } of this.#of(organisation)) life.end();
  }

  /** Closes the organisation's coordinators in order. */
  async stop(organisation: string): Promise<void> {
    const running = this.#of(organisation);
    this.#running.delete(organisation);
    for (const { life, coordinator } of running) {
      life.hurry();
      if (coordinator) await coordinator[Symbol.asyncDispose]();
      else life.end();
    }
  }

  /** Whether the organisation has a coordinator that answers, or at least one that is starting. */
  state(organisation: string): 'runs' | 'starts' | 'gone' {
    const lives = this.#of(organisation);
    if (lives.some(({ coordinator }) => coordinator !== undefined)) return 'runs';
    return lives.length > 0 ? 'starts' : 'gone';
  }

  /** The coordinator that answers for an organisation. */
  coordinator(organisation: string): Coordinator {
    const [first] = this.#of(organisation).flatMap(({ coordinator }) => (coordinator ? [coordinator] : []));
    if (!first) throw new Fault('peer-unavailable', `${organisation} does not run.`);
    return first;
  }

  /** Where the organisation keeps its signing journal. */
  journalPath(organisation: string): string {
    return join(this.#options.journals ?? this.#directory, `${organisation}.journal`);
  }

  system(id: string): MemorySystem {
    return found(this.systems.get(id), id);
  }

  validatorsOf(system: string): readonly InProcessValidator[] {
    return found(this.validators.get(system), system);
  }

  /** Lodges the instruction for the given organisations, by default both sides in one transaction; answers with the proposal's id. */
  async lodge(instruction: DvpInstruction, by: readonly string[] = ['central-bank-a', 'csd-b']): Promise<Hash> {
    const results = await this.ledger.submit(
      by.map((organisation) => this.sample.call(organisation, lodgeBody(instruction))),
    );
    const [proposal] = results.map((result) => hashSchema.parse(accepted(result)['proposal']));
    return found(proposal, 'proposal');
  }

  /** Submits a call of an organisation, as a person of it. */
  async submit(organisation: string, body: CallBody, nonce?: string, actor?: string): Promise<Result<JsonObject>> {
    const [result] = await this.ledger.submit([this.sample.call(organisation, body, nonce, actor)]);
    return found(result, 'result');
  }

  async view(proposal: Hash): Promise<SettlementView> {
    const answer = await this.ledger.evaluate('settlement', { id: proposal });
    if (!answer.ok) throw new Error(answer.refusal.message);
    return answer.value;
  }

  /** Waits until the settlement is in one of the phases. Throws when that takes longer than the limit. */
  async until(proposal: Hash, phases: readonly Phase[], limitMs = 180_000): Promise<SettlementView> {
    return this.when(
      `${proposal} ${phases.join(' or ')}`,
      proposal,
      ({ state }) => phases.includes(state.phase),
      limitMs,
    );
  }

  /** Waits until the settlement looks as it should. */
  async when(
    what: string,
    proposal: Hash,
    is: (view: SettlementView) => boolean,
    limitMs = 180_000,
  ): Promise<SettlementView> {
    const { time } = this.#options;
    if (time) {
      await time.until(what, async () => is(await this.view(proposal)), limitMs);
      return this.view(proposal);
    }
    const signal = AbortSignal.timeout(limitMs);
    const height = await this.ledger.height();
    const now = await this.view(proposal);
    if (is(now)) return now;
    for await (const { events } of this.ledger.events(height, signal)) {
      if (!events.some((event) => event.proposal === proposal)) continue;
      const view = await this.view(proposal);
      if (is(view)) return view;
    }
    throw new Error(`${what} did not come about within ${limitMs} ms`);
  }

  /** Every position of a system, by account and asset. */
  totals(system: string): Totals {
    const rows = this.system(system).positions();
    return Object.fromEntries(
      rows.map(({ account, asset, balance, held }) => [`${account} ${asset}`, { balance, held }]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.onCrossing = undefined;
    for (const organisation of this.organisations) await this.stop(organisation);
    for (const validators of this.validators.values())
      for (const validator of validators) await validator[Symbol.asyncDispose]();
    if (!this.#options.ledger) await this.ledger[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #forget(organisation: string, ended: Running): void {
    const others = this.#of(organisation).filter((running) => running !== ended);
    this.#running.set(organisation, others);
  }

  #of(organisation: string): Running[] {
    return this.#running.get(organisation) ?? [];
  }

  #systemsOf(organisation: string): string[] {
    return this.#definition.systems.filter(({ owner }) => owner === organisation).map(({ id }) => id);
  }

  #openSystem(system: string): MemorySystem {
    const { organisations, quorum } = this.sample.plan.genesis;
    const certificates = { epoch: 1, keys: organisations.map(({ certificateKey }) => certificateKey), quorum };
    const accounts = this.#definition.accounts
      .filter(({ id }) => id.startsWith(`${system}:`))
      .map(({ id }) => [id.slice(system.length + 1), {}]);
    const balances = {
      ...Object.fromEntries(accounts),
      ...this.#definition.balances[system],
      ...this.#options.balances?.[system],
    };
    return new MemorySystem({ system, network: this.sample.id, certificates, verify: this.verify, balances });
  }

  #openValidators(id: string, system: MemorySystem): InProcessValidator[] {
    const signers = this.sample.validators[id] ?? [];
    return signers.map((signer, i) => {
      const connector = this.#options.connectorOf?.(id, i) ?? system.connector(`executor-${i}`);
      return startInProcessValidator(system, this.sample.id, signer, connector);
    });
  }

  #openVerifier(life: Life, system: string) {
    const validators = this.validatorsOf(system);
    const clients = new Map(validators.map((validator) => [validator.signer.key, validator.client()]));
    const { threshold } = found(
      this.#definition.systems.find(({ id }) => id === system),
      system,
    ).validators;
    return createVerifier({
      network: this.sample.id,
      system,
      validators: validators.map(({ signer }) => ({ key: signer.key, url: `in-process:${system}` })),
      threshold,
      verify: this.verify,
      connect: ({ key }) => livingClient(life, system, found(clients.get(key), key)),
    });
  }

  /** The other organisations as each of them is reached: whoever does not run at that moment is not there. */
  #peers(): Peers {
    return {
      sendShares: async (to, proposal, shares) => this.coordinator(to).receiveShares(proposal, shares),
      sendStatements: async (to, proposal, statements) => this.coordinator(to).receiveStatements(proposal, statements),
      askShares: async (to, proposal) => this.coordinator(to).shares(proposal),
    };
  }
}

function readDefinition(): NetworkDefinition {
  return networkDefinitionSchema.parse(
    JSON.parse(readFileSync(new URL('../../../deploy/local/network.json', import.meta.url), 'utf8')),
  );
}

function accepted(result: Result<JsonObject>): JsonObject {
  if (!result.ok)
    throw new Error(
      `${result.refusal.code}: ${result.refusal.message} ${JSON.stringify(result.refusal.problems ?? [])}`,
    );
  return result.value;
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`there is no ${name}`);
  return value;
}
