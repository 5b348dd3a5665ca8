import type { SettlementView } from '@linkspan/contract';
import type { Ledger, LedgerEvent } from '@linkspan/ledger';
import type { Outcome, Verifier } from '@linkspan/plugin';
import {
  type CallBody,
  type Certificate,
  type CertificateShare,
  Fault,
  type Hash,
  hashOf,
  type SignedStatement,
  type Verify,
} from '@linkspan/protocol';
import { findOperation } from '@linkspan/scenario';
import { CallWriter } from './call-writer.ts';
import { CertificateDesk } from './certificate-desk.ts';
import type { Clock, Log } from './clock.ts';
import type { Coordinator, GatheredCertificate, Peers } from './coordinator.ts';
import { Deadlines } from './deadlines.ts';
import { Driver } from './driver.ts';
import type { SigningJournal } from './journal.ts';
import { NetworkState, type OrganisationSigners } from './network-state.ts';
import { OperationRunner } from './operation-runner.ts';
import { ShareBook } from './share-book.ts';
import { StatementInbox } from './statement-inbox.ts';
import { hasEnded, track, type Tracked } from './tracked.ts';

export type CoordinatorOptions = {
  readonly organisation: string;
  readonly ledger: Ledger;
  readonly signers: OrganisationSigners;
  /** The Verifier of each system that this organisation owns. */
  readonly verifiers: ReadonlyMap<string, Verifier>;
  readonly peers: Peers;
  readonly journal: SigningJournal;
  readonly verify: Verify;
  readonly clock: Clock;
  readonly log: Log;
};

/** How often it is looked at whether the network has changed, while no settlement shows it. */
const LOOK_AT_NETWORK_MS = 2000;
const PAGE = 500;
const RESUME_AFTER_MS = 500;
const SAVE_EVERY_BLOCKS = 64;

/**
 * Starts an organisation's coordinator on its ledger node, which must have a genesis. It first reads what is open, then follows the ledger from
 * its checkpoint. Two of them on one ledger change nothing: every effect has its id, every call is idempotent.
 */
export async function createCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const network = await NetworkState.read(options.ledger, options.organisation, options.signers);
  const loop = new Loop(options, network);
  await loop.learnValidators();
  await loop.readOpen();
  loop.begin();
  return loop;
}

class Loop implements Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #network: NetworkState;
  readonly #tracked = new Map<Hash, Tracked>();
  readonly #stopped = new AbortController();
  readonly #shares: ShareBook;
  readonly #desk: CertificateDesk;
  readonly #writer: CallWriter;
  readonly #driver: Driver;
  readonly #inbox: StatementInbox;
  readonly #runner: OperationRunner;
  readonly #deadlines: Deadlines;
  readonly #sending = new Set<Promise<void>>();
  #following: Promise<void> = Promise.resolve();
  #looking: Promise<void> = Promise.resolve();
  #isBehind = false;
  #saved: number;
  /** The last block before what is open was read: of what it and those before it tell, only the open settlements still matter. */
  #openAt = 0;

  constructor(options: CoordinatorOptions, network: NetworkState) {
    const { organisation, ledger, signers, verifiers, peers, journal, verify, clock, log } = options;
    this.#options = options;
    this.#network = network;
    this.#saved = journal.checkpoint();
    const tracked = (proposal: Hash): Tracked | undefined => this.#tracked.get(proposal);
    const settlementOf = (proposal: Hash): Hash | null | undefined => tracked(proposal)?.view.state.settlement;
    this.#shares = new ShareBook(verify, network, settlementOf);
    this.#desk = new CertificateDesk({
      organisation,
      network,
      journal,
      shares: this.#shares,
      peers,
      clock,
      log,
    });
    this.#writer = new CallWriter(ledger, network.view.id, organisation, signers.call, signers.nextCall, () =>
      clock.now(),
    );
    this.#driver = new Driver({
      organisation,
      writer: this.#writer,
      peers,
      shares: this.#shares,
      clock,
      log,
      tracked,
      again: async (proposal) => {
        await this.learnValidators();
        await this.#refresh(proposal);
      },
    });
    this.#inbox = new StatementInbox({
      ledger,
      verify,
      log,
      tracked,
      accept: (proposal, signed) => this.#driver.add(proposal, signed, 'other'),
    });
    this.#runner = new OperationRunner({
      verifiers,
      desk: this.#desk,
      clock,
      log,
      deliver: (proposal, outcome) => this.#deliver(proposal, outcome),
    });
    this.#deadlines = new Deadlines({
      organisation,
      writer: this.#writer,
      clock,
      log,
      all: () => this.#tracked.values(),
    });
  }

  /** Which validators of own systems the ledger listens to: a process that was not there when one lied, or got a new key, must not ask the old one. */
  async learnValidators(): Promise<void> {
    const { ledger, verifiers } = this.#options;
    for (const [id, verifier] of verifiers) {
      const [system, suspended] = await Promise.all([
        ledger.evaluate('system', { id }),
        ledger.evaluate('suspended', { id }),
      ]);
      if (!system.ok || !suspended.ok) throw new Fault('ledger-unavailable', `${id} could not be looked up.`);
      if (system.value) verifier.trust(system.value.validators);
      verifier.suspend(suspended.value);
    }
  }

  /** Everything that was open when the ledger was last seen. */
  async readOpen(): Promise<void> {
    this.#openAt = await this.#options.ledger.height();
    for (let after: Hash | undefined; ;) {
      const page = await this.#options.ledger.evaluate('open', { after, limit: PAGE });
      if (!page.ok) throw new Fault('ledger-unavailable', page.refusal.message);
      for (const proposal of page.value) await this.#refresh(proposal);
      after = page.value.at(-1);
      if (page.value.length < PAGE) return;
    }
  }

  begin(): void {
    this.#following = this.#follow();
    this.#looking = this.#lookAtNetwork();
  }

  receiveShares(proposal: Hash, shares: readonly CertificateShare[]): void {
    this.#shares.add(proposal, shares);
  }

  receiveStatements(proposal: Hash, statements: Parameters<Coordinator['receiveStatements']>[1]): void {
    this.#send(this.#inbox.receive(proposal, statements));
  }

  async shares(proposal: Hash): Promise<readonly CertificateShare[]> {
    const { certificate, nextCertificate } = this.#options.signers;
    return [certificate, nextCertificate].flatMap((signer) => (signer ? this.#shares.of(proposal, signer.key) : []));
  }

  async certificates(proposal: Hash): Promise<readonly GatheredCertificate[]> {
    const answer = await this.#options.ledger.evaluate('settlement', { id: proposal });
    if (!answer.ok) throw new Fault('ledger-unavailable', answer.refusal.message);
    const { certificates, shares } = answer.value;
    await this.#catchUp(certificates);
    return certificates.map((called) => this.#shares.gathered(proposal, called, shares));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#following;
    await this.#looking;
    await this.#runner.close();
    await this.#driver.close();
    await this.#deadlines.close();
    await this.#desk.close();
    await this.#writer.idle();
    await Promise.all(this.#sending);
    this.#options.journal[Symbol.dispose]();
  }

  /** Reads the ledger in order for ever; after an interruption it goes on where it was. */
  async #follow(): Promise<void> {
    const { ledger, clock, log } = this.#options;
    const { signal } = this.#stopped;
    // Where nothing is open, nothing that was called for before needs a signature: however long the ledger, a start costs the same.
    let block = this.#tracked.size === 0 ? Math.max(this.#saved, this.#openAt) : this.#saved;
    while (!signal.aborted) {
      try {
        for await (const event of ledger.events(block, signal)) {
          await this.#take(event);
          block = event.block;
          this.#save(block);
        }
      } catch (error) {
        if (!signal.aborted) log('error', 'reading the ledger was interrupted', { block, error: String(error) });
        await clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  /** A change of the network is no event of a settlement, so it is asked for. */
  async #lookAtNetwork(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopped;
    for (;;) {
      await clock.sleep(LOOK_AT_NETWORK_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#learnNetwork();
      } catch (error) {
        if (!signal.aborted) log('warn', 'the network could not be looked at', { error: String(error) });
      }
    }
  }

  /** Everything that is open is looked at again after a change: it may be for other keys to sign, or for other validators to answer. */
  async #learnNetwork(): Promise<void> {
    const differs = await this.#network.refresh();
    if (!differs && !this.#isBehind) return;
    this.#isBehind = false;
    await this.learnValidators();
    for (const proposal of this.#tracked.keys()) await this.#refresh(proposal);
  }

  /** The node is ahead of what is known of the network: with the keys of before, nothing of the new epoch could be signed. */
  async #catchUp(certificates: readonly Certificate[]): Promise<void> {
    if (certificates.every(({ epoch }) => this.#network.knows(epoch))) return;
    await this.#network.refresh();
    // What else follows from the change is done by whoever looks at the network next.
    this.#isBehind = true;
  }

  async #take(event: LedgerEvent): Promise<void> {
    const proposals = [...new Set(event.events.map(({ proposal }) => proposal))];
    const touched =
      event.block > this.#openAt ? proposals : proposals.filter((proposal) => this.#tracked.has(proposal));
    if (touched.length === 0) return;
    await this.#catchUp(event.events.flatMap(({ certificates }) => certificates));
    const signed = new Map(this.#desk.signBlock(event).map(({ proposal, shares }) => [proposal, shares]));
    await Promise.all(touched.map((proposal) => this.#refresh(proposal, signed.get(proposal), event.block)));
  }

  /** Reads a settlement again and does what its state now asks for. */
  async #refresh(proposal: Hash, signed: readonly CertificateShare[] = [], block?: number): Promise<void> {
    const answer = await this.#options.ledger.evaluate('settlement', { id: proposal });
    if (!answer.ok) throw new Fault('ledger-unavailable', answer.refusal.message);
    const view = answer.value;
    await this.#catchUp(view.certificates);
    if (hasEnded(view.state)) {
      this.#completeEvidence(view);
      this.#forget(proposal);
      this.#runner.follow(view);
      return;
    }
    const before = this.#tracked.get(proposal);
    const tracked = track(view, this.#network.organisations, before);
    const certificateBlock = tracked.certificateBlock ?? (signed.length > 0 && block !== undefined ? block : null);
    const next = { ...tracked, certificateBlock };
    this.#tracked.set(proposal, next);
    const shares = [...signed, ...this.#desk.signAgain(view)];
    if (shares.length > 0) this.#send(this.#desk.sendShares(view, shares));
    this.#driver.follow(proposal, next);
    this.#send(this.#inbox.follow(proposal, next));
    this.#runner.follow(view);
  }

  /**
   * An epoch ended just when the settlement did, so that its certificate could not be recorded: it is, under the epoch that followed. Who recorded the end
   * may have had too few signatures of that one, so everybody brings what it has.
   */
  #completeEvidence(view: SettlementView): void {
    const { proposal, epoch: began } = view.state;
    const later = view.certificates.filter(({ epoch }) => epoch > began);
    if (later.length === 0) return;
    this.#desk.signAgain(view);
    const recorded = new Set(view.shares.map(({ signature }) => signature));
    const shares = this.#shares.fitting(proposal, later).filter(({ signature }) => !recorded.has(signature));
    if (shares.length > 0) this.#send(this.#tell(`certify ${hashOf(shares)}`, { type: 'certify', proposal, shares }));
  }

  #forget(proposal: Hash): void {
    this.#tracked.delete(proposal);
    this.#shares.forget(proposal);
    this.#driver.follow(proposal, undefined);
    this.#send(this.#inbox.follow(proposal, undefined));
  }

  #deliver(proposal: Hash, outcome: Outcome): void {
    if (outcome.kind !== 'accepted') {
      const [first] = outcome.statements;
      const nonce = `report ${first.statement.operation} ${outcome.kind}`;
      this.#send(this.#tell(nonce, { type: 'report', proposal, statements: outcome.statements }));
      return;
    }
    const { statement } = outcome.signed;
    const view = this.#tracked.get(proposal)?.view;
    const operation = view && findOperation(view.state, statement.operation);
    if (operation && !operation.byPeople) this.#driver.add(proposal, outcome.signed, 'own');
    else if (statement.status === 'effective') this.#send(this.#contradict(proposal, outcome.signed));
  }

  /** People had the last word on an operation. That validators say the same is nothing new; that they say otherwise is evidence. */
  async #contradict(proposal: Hash, signed: SignedStatement): Promise<void> {
    const answer = await this.#options.ledger.evaluate('settlement', { id: proposal });
    const { operation } = signed.statement;
    if (!answer.ok || !findOperation(answer.value.state, operation)?.byPeople) return;
    await this.#tell(`contradict ${operation}`, { type: 'record', proposal, statements: [signed] });
  }

  /** Writes evidence, which moves no settlement on. */
  async #tell(
    nonce: string,
    body: Extract<CallBody, { readonly type: 'report' | 'record' | 'certify' }>,
  ): Promise<void> {
    const { log } = this.#options;
    const { proposal } = body;
    try {
      const result = await this.#writer.write('coordinator', nonce, body);
      if (!result.ok) log('warn', `evidence was refused: ${result.refusal.message}`, { proposal });
    } catch (error) {
      log('warn', 'evidence got no answer from the ledger', { proposal, error: String(error) });
    }
  }

  #send(work: Promise<void>): void {
    const done = work.finally(() => this.#sending.delete(done));
    this.#sending.add(done);
  }

  /** Certificates of what is still open must be signed again after a restart, so the checkpoint stays before their blocks. */
  #save(block: number): void {
    if (block - this.#saved < SAVE_EVERY_BLOCKS) return;
    const needed = [...this.#tracked.values()].flatMap(({ certificateBlock }) =>
      certificateBlock === null ? [] : [certificateBlock - 1],
    );
    const checkpoint = Math.min(block, ...needed);
    if (checkpoint <= this.#saved) return;
    this.#options.journal.saveCheckpoint(checkpoint);
    this.#saved = checkpoint;
  }
}
