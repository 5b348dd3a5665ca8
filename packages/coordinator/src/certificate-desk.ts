import type { SettlementView } from '@linkspan/contract';
import type { LedgerEvent } from '@linkspan/ledger';
import { traceOfSettlement, withinTrace } from '@linkspan/plugin';
import {
  bytesToHex,
  type Certificate,
  type CertificateKind,
  type CertificateShare,
  type Hash,
  hashBytes,
  hashOf,
  signCertificates,
  type SignedCertificate,
} from '@linkspan/protocol';
import type { Clock, Log } from './clock.ts';
import type { Peers } from './coordinator.ts';
import type { SigningJournal } from './journal.ts';
import type { NetworkState } from './network-state.ts';
import { calledFor, type ShareBook } from './share-book.ts';

/** What is signed again stands for no block. */
const NO_BLOCK = 0;

/** How long shares may stay away before the others are asked for theirs. */
const ASK_AFTER_MS = 1000;

export type CertificateDeskParts = {
  readonly organisation: string;
  readonly network: NetworkState;
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
    const { journal, shares, log } = this.#parts;
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
    const signed = new Map(this.#signEpochs(event.block, certificates).map((share) => [share.certificate, share]));
    const proposals = [...new Set(called.map(({ proposal }) => proposal))];
    return proposals.map((proposal) => {
      const own = called.flatMap((each) => {
        const share = each.proposal === proposal ? signed.get(each.certificate) : undefined;
        return share ? [share] : [];
      });
      shares.add(proposal, own);
      return { proposal, shares: own };
    });
  }

  /**
   * Signs again, under epochs later than the one in which the settlement began, what it calls for: each certificate alone and as of no block, so that
   * everybody's signatures are over the same root whenever they learnt of the epoch.
   */
  signAgain(view: SettlementView): readonly CertificateShare[] {
    const { journal, shares, network, log } = this.#parts;
    const { proposal, epoch: began } = view.state;
    const own = [...view.shares, ...shares.of(proposal)];
    const due = view.certificates.flatMap((certificate) => {
      const { kind, epoch } = certificate;
      const signer = epoch > began ? network.signerOf(epoch) : undefined;
      const isDone = own.some(
        (share) => share.key === signer?.key && share.certificate.kind === kind && share.certificate.epoch === epoch,
      );
      return signer && !isDone ? [{ certificate, signer }] : [];
    });
    if (due.length === 0) return [];
    const allowed = journal.writeAgain(due.map(({ certificate }) => certificate));
    if (!allowed.ok) {
      log('error', allowed.refusal.message, { proposal });
      return [];
    }
    const signed = due.flatMap(({ certificate, signer }) => signCertificates(signer, NO_BLOCK, [certificate]));
    shares.add(proposal, signed);
    return signed;
  }

  /** The epoch of the certificates that this organisation's systems are brought. */
  get epoch(): number {
    return this.#parts.network.usedEpoch;
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
    const called = calledFor(view.certificates, kind, this.epoch);
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
    const { organisation, network } = this.#parts;
    for (const other of network.organisations) {
      const question = `${other} ${proposal}`;
      if (other === organisation || this.#asking.has(question)) continue;
      const answered = this.#ask(other, proposal, called).finally(() => this.#asking.delete(question));
      this.#asking.set(question, answered);
    }
  }

  /** One signature over everything of one epoch that the block calls for. What is of an epoch that has ended nobody signs any more. */
  #signEpochs(block: number, certificates: readonly Certificate[]): CertificateShare[] {
    const epochs = [...new Set(certificates.map(({ epoch }) => epoch))];
    return epochs.flatMap((epoch) => {
      const signer = this.#parts.network.signerOf(epoch);
      const together = certificates.filter((certificate) => certificate.epoch === epoch);
      return signer ? signCertificates(signer, block, together) : [];
    });
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
