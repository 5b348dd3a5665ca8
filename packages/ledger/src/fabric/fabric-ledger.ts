import { setTimeout as delay } from 'node:timers/promises';
import type { Queries, QueryType } from '@linkspan/contract';
import { Fault, type JsonObject, type Result, type SignedCall } from '@linkspan/protocol';
import type { ArchivedLedger } from '../archive.ts';
import type { Checkpoint, LedgerEvent } from '../ledger.ts';
import { endOfBlock } from './block-number.ts';
import { CallBatcher, MOST_UNDER_WAY } from './call-batcher.ts';
import { chaincodeEvents } from './chaincode-events.ts';
import { FabricArchive } from './fabric-archive.ts';
import { heightOfChainInfo, parseQueryAnswers, type QueryAnswer } from './fabric-messages.ts';
import { troubleOf } from './gateway-errors.ts';
import { Gateways, type GatewaysOptions, type OpenGateway } from './gateways.ts';
import { QueryBatcher } from './query-batcher.ts';
import { writeTransaction } from './write-transaction.ts';

export type FabricLedgerOptions = GatewaysOptions & {
  /** Organisations whose peers are asked to endorse all at once, and not one after the other; as the gateway chooses where none are named, or one is away. */
  readonly endorsingOrganizations?: readonly string[];
  /** A file of this organisation's own, for the archive of accepted calls; made where it does not exist. */
  readonly archiveFile: string;
  /** How long a call may wait for peers and orderers before its Fault; 30 s unless given. */
  readonly patienceMs?: number;
};

const PATIENCE_MS = 30_000;
const RETRY_AFTER_MS = 100;

/** See `openFabricLedger`. */
export class FabricLedger implements ArchivedLedger {
  /** One is endorsed while the other is ordered. */
  readonly transactionsAtOnce = MOST_UNDER_WAY;
  readonly archive: FabricArchive;
  readonly #channel: string;
  readonly #chaincode: string;
  readonly #patienceMs: number;
  readonly #gateways: Gateways;
  readonly #batcher: CallBatcher;
  readonly #questions = new QueryBatcher((questions: readonly string[]) => this.#evaluate(questions));
  readonly #closed = new AbortController();

  constructor(options: FabricLedgerOptions) {
    const { channel, chaincode, endorsingOrganizations = [], patienceMs = PATIENCE_MS } = options;
    this.#channel = channel;
    this.#chaincode = chaincode;
    this.#patienceMs = patienceMs;
    const gateways = new Gateways(options);
    this.#gateways = gateways;
    const { chaincode: name, archiveFile: file } = options;
    this.archive = new FabricArchive({ gateways, chaincode: name, file, height: () => this.#blocks(), patienceMs });
    const { signal } = this.#closed;
    this.#batcher = new CallBatcher((calls, endorsed) =>
      writeTransaction({ gateways, endorsingOrganizations, patienceMs, signal, endorsed }, calls),
    );
  }

  async submit(calls: readonly SignedCall[]): Promise<readonly Result<JsonObject>[]> {
    this.#checkOpen();
    return calls.length === 0 ? [] : this.#batcher.submit(calls);
  }

  async evaluate<T extends QueryType>(type: T, args: Queries[T]['args']): Promise<Result<Queries[T]['answer']>> {
    const answer = await this.#questions.ask(JSON.stringify({ type, args }));
    if ('broken' in answer) throw new Fault('ledger-unavailable', answer.broken);
    // The answer of this organisation's own peer and chaincode.
    return JSON.parse(answer.text);
  }

  events(from: Checkpoint, signal: AbortSignal): AsyncGenerator<LedgerEvent, void, void> {
    this.#checkOpen();
    return chaincodeEvents(this.#gateways, this.#chaincode, from, AbortSignal.any([signal, this.#closed.signal]));
  }

  async height(): Promise<Checkpoint> {
    return endOfBlock((await this.#blocks()) - 1n);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#batcher.idle();
    await this.archive[Symbol.asyncDispose]();
    this.#gateways[Symbol.dispose]();
  }

  async #evaluate(questions: readonly string[]): Promise<readonly QueryAnswer[]> {
    const list = `[${questions.join(',')}]`;
    return parseQueryAnswers(
      await this.#ask((gateway) => this.#gateways.evaluate(gateway, this.#chaincode, 'query', [list])),
    );
  }

  /** How many blocks the peer has. */
  async #blocks(): Promise<bigint> {
    const info = await this.#ask((gateway) =>
      this.#gateways.evaluate(gateway, 'qscc', 'GetChainInfo', [this.#channel]),
    );
    return heightOfChainInfo(info);
  }

  async #ask(question: (gateway: OpenGateway) => Promise<Uint8Array>): Promise<Uint8Array> {
    const until = performance.now() + this.#patienceMs;
    for (;;) {
      this.#checkOpen();
      const gateway = this.#gateways.current;
      try {
        return await question(gateway);
      } catch (error) {
        const { kind, message } = troubleOf(error, this.#gateways.mspId);
        const isPassing = kind === 'unreachable' || kind === 'late' || kind === 'unsettled';
        if (!isPassing || performance.now() > until) throw new Fault('ledger-unavailable', message, { cause: error });
        this.#gateways.leave(gateway);
      }
      await delay(RETRY_AFTER_MS, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw new Fault('ledger-unavailable', 'The ledger is closed.');
  }
}
