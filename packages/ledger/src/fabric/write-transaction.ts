import { setTimeout as delay } from 'node:timers/promises';
import { type Transaction, StatusCode } from '@hyperledger/fabric-gateway';
import { Fault, type JsonObject, type Result, type SignedCall } from '@linkspan/protocol';
import { parseSubmitAnswer, writeCalls } from './fabric-messages.ts';
import { troubleOf } from './gateway-errors.ts';
import type { Gateways, OpenGateway } from './gateways.ts';

export type TransactionWriter = {
  readonly gateways: Gateways;
  /** Organisations that are asked to endorse all at once, at the first try; as the gateway chooses where none are named. */
  readonly endorsingOrganizations: readonly string[];
  /** How long a transaction may take before it is given up as unknown. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Told once a transaction has its endorsements and only its order is waited for. */
  readonly endorsed?: () => void;
};

/** What became of a transaction: its calls' results; or somebody else had changed what it read; or the contract broke on it. */
export type Written =
  | { readonly kind: 'results'; readonly results: readonly Result<JsonObject>[] }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'broken'; readonly message: string };

/** How long the fate of a transaction is waited for before it is sent again: one that was taken, and one that perhaps never arrived. */
const STATUS_MS = 5000;
const DOUBTFUL_STATUS_MS = 700;
const RETRY_AFTER_MS = { first: 20, most: 500 } as const;
/** A proposal that a busy machine delays has a time of the past when it arrives; a clock that is off makes every one so. */
const LATE_PROPOSALS = 3;

/**
 * Writes calls as one Fabric transaction and waits until it is final. Where the calls change nothing, nothing is submitted: what the
 * endorsing organisations agree on is the answer.
 *
 * Before anything was submitted a new proposal is made after every setback. From then on the fate of that one transaction is asked for, and only it is
 * sent again: the gateway may say that a submission failed which did not. Throws a Fault `ledger-unavailable`, which says whether it may have happened.
 */
export async function writeTransaction(writer: TransactionWriter, calls: readonly SignedCall[]): Promise<Written> {
  const until = performance.now() + writer.patienceMs;
  const endorsed = await endorse(writer, calls, until);
  if (endorsed.kind === 'broken') return endorsed;
  writer.endorsed?.();
  const { gateway, transaction } = endorsed;
  const { changed, results } = parseSubmitAnswer(transaction.getResult());
  if (!changed) return { kind: 'results', results };
  const code = await finalCode(writer, gateway, transaction, until);
  if (code === StatusCode.VALID) return { kind: 'results', results };
  if (RETRYABLE.has(code)) return { kind: 'conflict' };
  throw new Fault('internal', `Fabric refused the transaction ${transaction.getTransactionId()} with code ${code}.`);
}

/**
 * Reads that changed, ranges that changed, an id that was used, and endorsements that sufficed under the channel's configuration of a moment ago: in
 * each case this transaction did nothing.
 */
const RETRYABLE: ReadonlySet<number> = new Set([
  StatusCode.MVCC_READ_CONFLICT,
  StatusCode.PHANTOM_READ_CONFLICT,
  StatusCode.DUPLICATE_TXID,
  StatusCode.ENDORSEMENT_POLICY_FAILURE,
]);

type Endorsed = { readonly kind: 'endorsed'; readonly gateway: OpenGateway; readonly transaction: Transaction };

async function endorse(
  { gateways, endorsingOrganizations, signal }: TransactionWriter,
  calls: readonly SignedCall[],
  until: number,
): Promise<Endorsed | Extract<Written, { kind: 'broken' }>> {
  const argument = writeCalls(calls);
  let late = 0;
  let isFirst = true;
  for (let waitMs: number = RETRY_AFTER_MS.first; ; waitMs = Math.min(2 * waitMs, RETRY_AFTER_MS.most)) {
    const gateway = gateways.current;
    try {
      const proposal = gateway.contract.newProposal('submit', {
        arguments: [argument],
        // One of those that are named may be away, so the next time the gateway finds others.
        ...(isFirst && endorsingOrganizations.length > 0
          ? { endorsingOrganizations: [...endorsingOrganizations] }
          : {}),
      });
      return { kind: 'endorsed', gateway, transaction: await proposal.endorse() };
    } catch (error) {
      isFirst = false;
      const trouble = troubleOf(error, gateways.mspId);
      if (trouble.kind === 'chaincode' && trouble.code === 'internal')
        return { kind: 'broken', message: trouble.message };
      const isLate = trouble.kind === 'chaincode' && trouble.code === 'clock' && ++late < LATE_PROPOSALS;
      if (!isLate && (trouble.kind === 'chaincode' || trouble.kind === 'defect'))
        throw new Fault('ledger-unavailable', trouble.message, { cause: error });
      if (trouble.kind === 'unreachable' || trouble.kind === 'late') gateways.leave(gateway);
      if (signal.aborted || performance.now() + waitMs > until)
        throw new Fault('ledger-unavailable', trouble.message, { cause: error });
    }
    await pause(waitMs, signal);
  }
}

/** The validation code of a transaction that is submitted here, once it is in a block. */
async function finalCode(
  { gateways, signal }: TransactionWriter,
  endorsedBy: OpenGateway,
  transaction: Transaction,
  until: number,
): Promise<number> {
  const id = transaction.getTransactionId();
  let again = transaction;
  let last: unknown;
  for (let gateway = endorsedBy; ; gateway = gateways.current) {
    // The same signed transaction: where it has arrived already, a second one changes nothing.
    if (gateway !== endorsedBy) again = gateway.gateway.newTransaction(again.getBytes());
    const commit = await again.submit().catch((error: unknown) => {
      last = error;
      if (troubleOf(error, gateways.mspId).kind === 'late') gateways.leave(gateway);
      return undefined;
    });
    try {
      const asked = commit ?? gateways.commitOf(gateway, id);
      return (await asked.getStatus({ deadline: Date.now() + (commit ? STATUS_MS : DOUBTFUL_STATUS_MS) })).code;
    } catch (error) {
      last = error;
      // That there is no answer in time says nothing of the gateway: the transaction may not be in any block.
      if (troubleOf(error, gateways.mspId).kind === 'unreachable') gateways.leave(gateway);
    }
    if (signal.aborted || performance.now() > until)
      throw new Fault('ledger-unavailable', `What became of the transaction ${id} is not known.`, {
        cause: last,
        mayHaveHappened: true,
      });
    await pause(RETRY_AFTER_MS.first, signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Somewhat at random, so that two who were in each other's way are not so again.
  await delay(ms * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
}
