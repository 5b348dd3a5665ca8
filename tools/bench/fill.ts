import { applyCalls, runQuery, type SettlementView } from '@linkspan/contract';
import { openSigningJournal, type SigningJournal } from '@linkspan/coordinator';
import { createVerify } from '@linkspan/keys';
import { type EmbeddedLedger, openEmbeddedLedger } from '@linkspan/ledger';
import {
  bytesToHex,
  type CallBody,
  type CertificateShare,
  type Hash,
  hashBytes,
  hashOf,
  hashSchema,
  type JsonObject,
  type SettlementEvent,
  signBatch,
  signCalls,
  signCertificates,
  type SignedCall,
  type SignedStatement,
  type Statement,
} from '@linkspan/protocol';
import { lodgeBody, sampleInstruction, type SampleNetwork, sampleNetwork } from '@linkspan/testkit';

export type FillOptions = {
  readonly directory: string;
  readonly settlements: number;
  /** Where each organisation's signing journal is, which the fill leaves as its coordinator would. */
  readonly journalOf: (organisation: string) => string;
  readonly progress: (done: number) => void;
};

/** Settlements per ledger transaction: enough that signatures cost little, few enough that their paths stay short. */
const BATCH = 128;
/** The deadline of all filled settlements: the same after an interruption, so that a call that was lodged is the same call. */
const DEADLINE = Date.UTC(2036, 0, 1);
/** How far back an interrupted batch may have begun; it has three blocks. */
const LOOK_BACK = 4;
const SIGNERS = ['central-bank-a', 'central-bank-b'];

/**
 * Fills an embedded ledger with settled trades through the contract: every call, statement and certificate signed, many under one
 * signature. What is there is kept, and after an interruption it goes on where it was. Answers how many it had to make.
 */
export async function fillLedger(options: FillOptions): Promise<number> {
  const verify = createVerify({ memoize: 20_000 });
  const contract = { applyCalls, runQuery };
  const { directory, settlements, progress, journalOf } = options;
  await using ledger = await openEmbeddedLedger({ directory, contract, verify, now: Date.now });
  const net = sampleNetwork();
  using journals = new DisposableStack();
  const opened = Object.keys(net.organisations).map((id) => journals.use(openSigningJournal(journalOf(id))));
  const fill = new Fill(ledger, net, opened);
  await fill.submit(net.setUp());
  const batches = Math.ceil(settlements / BATCH);
  const first = await fill.firstUnsettled(batches);
  for (let batch = first; batch < batches; batch++) {
    await fill.settle(tradeIds(batch));
    progress((batch + 1) * BATCH);
  }
  const height = await ledger.height();
  for (const journal of opened) journal.saveCheckpoint(height);
  return (batches - first) * BATCH;
}

class Fill {
  readonly #ledger: EmbeddedLedger;
  readonly #net: SampleNetwork;
  readonly #journals: readonly SigningJournal[];

  constructor(ledger: EmbeddedLedger, net: SampleNetwork, journals: readonly SigningJournal[]) {
    this.#ledger = ledger;
    this.#net = net;
    this.#journals = journals;
  }

  /** Batches are made in order, so the first that has not ended is found by halving. */
  async firstUnsettled(batches: number): Promise<number> {
    let [from, to] = [0, batches];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const [last = ''] = tradeIds(middle).slice(-1);
      const found = await this.#ledger.evaluate('by-trade-id', { tradeId: last });
      const [proposal] = found.ok ? found.value : [];
      const settled = proposal !== undefined && (await this.#view(proposal)).state.phase === 'settled';
      if (settled) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Three transactions: both sides lodge; the holds are recorded; the certificates and what was executed are. */
  async settle(trades: readonly string[]): Promise<void> {
    const bodies = trades.map((tradeId) => lodgeBody(sampleInstruction(tradeId, DEADLINE, 0)));
    const lodged = await this.submit(['central-bank-a', 'csd-b'].flatMap((id) => this.#calls(id, 'lodge', bodies)));
    const proposals = [...new Set(lodged.map((value) => hashSchema.parse(value['proposal'])))];
    const preparing = await this.#inPhase(proposals, 'preparing');
    await this.submit(this.#calls('central-bank-b', 'holds', this.#recordings(preparing)));
    const committed = await this.#inPhase(proposals, 'committed');
    const shares = await this.#certificates(proposals);
    const certifies = committed.map(({ state: { proposal } }): CallBody => {
      return { type: 'certify', proposal, shares: shares.get(proposal) ?? [] };
    });
    await this.submit(this.#calls('central-bank-b', 'end', [...certifies, ...this.#recordings(committed)]));
    const settled = await this.#inPhase(proposals, 'settled');
    if (settled.length !== trades.length) throw new Error(`${settled.length} of ${trades.length} settled`);
  }

  async submit(calls: readonly SignedCall[]): Promise<JsonObject[]> {
    return (await this.#ledger.submit(calls)).map((result) => {
      if (!result.ok) throw new Error(`the ledger refused a filled call: ${result.refusal.message}`);
      return result.value;
    });
  }

  /** An organisation's calls under one signature. */
  #calls(organisation: string, nonce: string, bodies: readonly CallBody[]): SignedCall[] {
    const signer = this.#net.organisations[organisation]?.call;
    if (!signer) throw new Error(`there is no organisation ${organisation}`);
    if (bodies.length === 0) return [];
    const network = this.#net.id;
    return signCalls(
      signer,
      bodies.map((body) => ({ schema: 'call/1', network, organisation, actor: 'coordinator', nonce, body })),
    );
  }

  /** Everything that is asked for took effect; each validator signs once for all of it. */
  #recordings(views: readonly SettlementView[]): CallBody[] {
    const asked = views.flatMap(({ state }) =>
      state.operations
        .filter(({ status }) => status === 'requested')
        .map(({ id, system, terms }): Statement => {
          const settlement = state.settlement ?? state.proposal;
          const transaction = hashOf({ transaction: id });
          const network = this.#net.id;
          return {
            schema: 'statement/1',
            network,
            settlement,
            operation: id,
            system,
            status: 'effective',
            terms,
            reason: '',
            transaction,
          };
        }),
    );
    const signed = new Map<Hash, SignedStatement[]>();
    for (const [system, signers] of Object.entries(this.#net.validators)) {
      const own = asked.filter((statement) => statement.system === system);
      if (own.length === 0) continue;
      const batches = signers.map((signer) => signBatch(signer, own));
      for (const [i, statement] of own.entries()) {
        const signatures = batches.flatMap((batch) => batch[i] ?? []);
        signed.set(statement.settlement, [...(signed.get(statement.settlement) ?? []), { statement, signatures }]);
      }
    }
    return views.map(({ state: { proposal, settlement } }) => {
      return { type: 'record', proposal, statements: signed.get(settlement ?? proposal) ?? [] };
    });
  }

  /** Signs what the blocks of this batch call for, as coordinators do: each block's certificates under one signature of each organisation. */
  async #certificates(proposals: readonly Hash[]): Promise<ReadonlyMap<Hash, CertificateShare[]>> {
    const wanted = new Set(proposals);
    const shares = new Map<Hash, CertificateShare[]>();
    const height = await this.#ledger.height();
    for (const block of await this.#ledger.blocks(Math.max(0, height - LOOK_BACK), LOOK_BACK)) {
      const called = eventsOf(block.events).flatMap(({ proposal, certificates }) =>
        certificates.map((certificate) => ({ proposal, certificate })),
      );
      if (!called.some(({ proposal }) => wanted.has(proposal))) continue;
      const certificates = called.map(({ certificate }) => certificate);
      const root = bytesToHex(hashBytes(hashOf(certificates)));
      for (const journal of this.#journals) {
        const allowed = journal.write(block.number, root, certificates);
        if (!allowed.ok) throw new Error(allowed.refusal.message);
      }
      for (const id of SIGNERS) {
        const signer = this.#net.organisations[id]?.certificate;
        const signed = signer ? signCertificates(signer, block.number, certificates) : [];
        for (const [i, share] of signed.entries()) {
          const proposal = called[i]?.proposal;
          if (proposal !== undefined) shares.set(proposal, [...(shares.get(proposal) ?? []), share]);
        }
      }
    }
    return shares;
  }

  async #inPhase(proposals: readonly Hash[], phase: string): Promise<SettlementView[]> {
    const views = await Promise.all(proposals.map((proposal) => this.#view(proposal)));
    return views.filter(({ state }) => state.phase === phase);
  }

  async #view(proposal: Hash): Promise<SettlementView> {
    const view = await this.#ledger.evaluate('settlement', { id: proposal });
    if (!view.ok) throw new Error(view.refusal.message);
    return view.value;
  }
}

function tradeIds(batch: number): string[] {
  return Array.from({ length: BATCH }, (_, i) => `stored-${batch * BATCH + i}`);
}

/** What the contract emitted, as it is in the chain. */
function eventsOf(text: string): readonly SettlementEvent[] {
  return JSON.parse(text);
}
