import { StatusCode, type Transaction } from '@hyperledger/fabric-gateway';
import { Fault } from '@linkspan/protocol';
import { pause } from '../../pause.ts';
import { type GatewayPool, type OpenGateway, troubleOf, unavailable } from './gateway-pool.ts';
import type { RequestAnswer, TokenReader } from './token-records.ts';

export type TransactionWriter = {
  readonly system: string;
  readonly pool: GatewayPool;
  readonly read: TokenReader;
  /** How long a transaction may take before it is given up as unknown. */
  readonly timeoutMs: number;
  /** Fires when the connector is closed. */
  readonly signal: AbortSignal;
};

/** How long the fate of a transaction is waited for before it is sent again: one that was taken, and one that perhaps never arrived. */
const STATUS_MS = 5000;
const DOUBTFUL_STATUS_MS = 700;
const RETRY_AFTER_MS = { first: 20, most: 400 } as const;

/** Reads that changed, ranges that changed, and an id that was used: in each case the transaction did nothing. */
const CONFLICTS: ReadonlySet<number> = new Set([
  StatusCode.MVCC_READ_CONFLICT,
  StatusCode.PHANTOM_READ_CONFLICT,
  StatusCode.DUPLICATE_TXID,
]);

/**
 * Writes requests as one transaction and waits until it is final; where they change nothing, what the endorsing peers agree on is the answer. Somebody
 * else's change of an account in the meantime takes a new proposal, which cannot repeat what was done: every effect is keyed by its operation.
 *
 * Once something was submitted, only that transaction's fate is asked for and only it is sent again, since a gateway may say that a submission failed
 * which did not. Throws a Fault `system-unavailable`, which says whether it may have happened.
 */
export async function writeRequests(writer: TransactionWriter, requests: readonly object[]): Promise<RequestAnswer[]> {
  const until = performance.now() + writer.timeoutMs;
  for (let failures = 1; ; failures++) {
    const { gateway, transaction } = await endorse(writer, requests, until);
    const answers = writer.read.answers(transaction.getResult());
    if (!answers.some((answer) => answer.ok && answer.done === 'now')) return answers;
    const code = await finalCode(writer, gateway, transaction, until);
    if (code === StatusCode.VALID) return answers;
    const id = transaction.getTransactionId();
    if (!CONFLICTS.has(code) || performance.now() > until)
      throw new Fault('system-unavailable', `The transaction ${id} was not valid (code ${code}), so it did nothing.`);
    await wait(RETRY_AFTER_MS.first * failures, writer.signal);
  }
}

type Endorsed = { readonly gateway: OpenGateway; readonly transaction: Transaction };

/** Nothing has happened yet, so whatever goes wrong here is no doubt about the effect. */
async function endorse(writer: TransactionWriter, requests: readonly object[], until: number): Promise<Endorsed> {
  const { pool, signal, system } = writer;
  let silent = 0;
  for (let waitMs: number = RETRY_AFTER_MS.first; ; waitMs = Math.min(2 * waitMs, RETRY_AFTER_MS.most)) {
    const gateway = pool.current;
    try {
      const proposal = gateway.contract.newProposal('submit', { arguments: [JSON.stringify(requests)] });
      return { gateway, transaction: await orClosed(proposal.endorse(), signal) };
    } catch (error) {
      if (signal.aborted) throw unavailable(system, error, false);
      const trouble = troubleOf(error);
      if (trouble === 'no-answer') {
        pool.leave(gateway);
        silent += 1;
      }
      const isOver = performance.now() + waitMs > until;
      if (isOver || trouble === 'defect' || silent >= pool.size) throw unavailable(system, error, false);
    }
    await wait(waitMs, signal);
  }
}

/** The validation code of a transaction that is submitted here, once it is in a block. */
async function finalCode(
  { pool, system, signal }: TransactionWriter,
  endorsedBy: OpenGateway,
  transaction: Transaction,
  until: number,
): Promise<number> {
  const id = transaction.getTransactionId();
  let again = transaction;
  let last: unknown;
  for (let gateway = endorsedBy; ; gateway = signal.aborted ? gateway : pool.current) {
    if (signal.aborted || performance.now() > until)
      throw new Fault('system-unavailable', `What became of the transaction ${id} on ${system} is not known.`, {
        cause: last,
        mayHaveHappened: true,
      });
    // The same signed transaction: where it has arrived already, a second one changes nothing.
    if (gateway !== endorsedBy) again = gateway.gateway.newTransaction(again.getBytes());
    const commit = await orClosed(again.submit(), signal).catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (signal.aborted) continue;
    try {
      const asked = commit ?? pool.commitOf(gateway, id);
      const deadline = Date.now() + (commit ? STATUS_MS : DOUBTFUL_STATUS_MS);
      return (await orClosed(asked.getStatus({ deadline }), signal)).code;
    } catch (error) {
      last = error;
      if (!signal.aborted && troubleOf(error) === 'no-answer') pool.leave(gateway);
    }
    await wait(RETRY_AFTER_MS.first, signal);
  }
}

/** An answer, or no longer than until the connector is closed: the client library takes no signal, and would wait for the deadline. */
function orClosed<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const close = (): void => reject(new Error('the connector was closed'));
    if (signal.aborted) close();
    signal.addEventListener('abort', close, { once: true });
    asked.then(resolve, reject).finally(() => signal.removeEventListener('abort', close));
  });
}

/** Somewhat at random, so that two who were in each other's way are not so again. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms * (0.5 + Math.random()), signal);
}
