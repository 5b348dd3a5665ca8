import type { SettlementView } from '@linkspan/contract';
import type { LedgerEvent } from '@linkspan/ledger';
import { traceOfSettlement, withinTrace } from '@linkspan/plugin';
import {
  bytesToHex,
  type Certificate,
  type CertificateKey,
  type CertificateKind,
  type CertificateShare,
  type Hash,
  hashBytes,
  hashOf,
  signCertificates,
  type SignedCertificate,
  type Signer,
} from '@linkspan/protocol';
import type { Clock, Log } from './clock.ts';
import type { Peers } from './coordinator.ts';
import type { SigningJournal } from './journal.ts';
import { calledFor, type ShareBook } from './share-book.ts';

/** How long shares may stay away before the others are asked for theirs. */
const ASK_AFTER_MS = 1000;

export type CertificateDeskParts = {
  readonly organisation: string;
  readonly organisations: readonly string[];
  readonly signer: Signer<CertificateKey>;
  readonly journal: SigningJournal;
  readonly shares: ShareBook;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Signs what ledger blocks call for, and gathers what others sign. Certificates cost no ledger transaction: an organisation signs when
 * its own node shows the decision, and its share goes straight to the owners of the systems.
 */
export class CertificateDesk {
  readonly #parts: CertificateDeskParts;
  readonly #asking = new Map<string, Promise<void>>();

  constructor(parts: CertificateDeskParts) {
    this.#parts = parts;
  }

  /** Signs everything that a block calls for with one signature, so that nothing in it can be signed and the rest withheld. */
  signBlock(event: LedgerEvent): readonly { readonly proposal: Hash; readonly shares: readonly CertificateShare[] }[] {
    const { signer, journal, shares, log } = this.#parts;
    const called = event.events.flatMap(({ proposal, certificates }) =>
      certificates.map((certificate) => ({ proposal, certificate })),
    );
    if (called.length === 0) return [];
    const certificates = called.map(({ certificate }) => certificate);
    const root = bytesToHex(hashBytes(hashOf(certificates)));
    const allowed = journal.write(event.block, root, certificates);
    if (!allowed.ok) {
      log('error', allowed.refusal.message, { block: event.block });
      return [];
    }
    const signed = signCertificates(signer, event.block, certificates);
    const proposals = [...new Set(called.map(({ proposal }) => proposal))];
    return proposals.map((proposal) => {
      const own = signed.filter((_, i) => called[i]?.proposal === proposal);
      shares.add(proposal, own);
      return { proposal, shares: own };
    });
  }

  /** Sends own shares to the owners of the settlement's systems. What gets lost they ask for. */
  async sendShares(view: SettlementView, shares: readonly CertificateShare[]): Promise<void> {
    const { organisation, peers, log } = this.#parts;
    const owners = new Set(view.state.participants.map((participant) => participant.owner));
    owners.delete(organisation);
    await Promise.all(
      [...owners].map(async (owner) => {
        try {
          await peers.sendShares(owner, view.state.proposal, shares);
        } catch (error) {
          log('info', `${owner} did not take certificate shares; it will ask for them`, { error: String(error) });
        }
      }),
    );
  }

  /** The certificate of a kind with a quorum of signatures, as soon as there is one; undefined when the signal fires first. */
  async obtain(
    view: SettlementView,
    kind: CertificateKind,
    signal: AbortSignal,
  ): Promise<SignedCertificate | undefined> {
    const called = calledFor(view.certificates, kind);
    if (!called) return undefined;
    const { shares, clock } = this.#parts;
    const { proposal } = view.state;
    shares.add(proposal, view.shares);
    let askedAt = clock.now();
    while (!signal.aborted) {
      const signed = shares.join(proposal, called);
      if (signed) return signed;
      using timer = cancellable(signal);
      await Promise.race([shares.change(proposal, timer.signal), clock.sleep(ASK_AFTER_MS, timer.signal)]);
      if (clock.now() - askedAt < ASK_AFTER_MS) continue;
      askedAt = clock.now();
      this.#askAll(proposal, called);
    }
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#asking.values());
  }

  /** Asks every other organisation that has not yet to answer the same question. Whoever is silent delays nobody. */
  #askAll(proposal: Hash, called: Certificate): void {
    const { organisation, organisations } = this.#parts;
    for (const other of organisations) {
      const question = `${other} ${proposal}`;
      if (other === organisation || this.#asking.has(question)) continue;
      const answered = this.#ask(other, proposal, called).finally(() => this.#asking.delete(question));
      this.#asking.set(question, answered);
    }
  }

  async #ask(other: string, proposal: Hash, called: Certificate): Promise<void> {
    const { peers, shares, log } = this.#parts;
    try {
      const trace = traceOfSettlement(called.settlement);
      shares.add(proposal, await withinTrace(trace, () => peers.askShares(other, proposal)));
    } catch (error) {
      log('info', `${other} gave no shares of the ${called.kind} certificate`, { error: String(error) });
    }
  }
}

/** A signal that also fires when its owner leaves the block, so that what lost a race does not linger. */
function cancellable(signal: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', abort);
      abort();
    },
  };
}
