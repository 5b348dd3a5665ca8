import { Client, credentials as grpcCredentials } from '@grpc/grpc-js';
import { connect, type Contract, type Gateway, GatewayError, hash, type Network } from '@hyperledger/fabric-gateway';
import { lowSSigner } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';
import type { FabricConfig } from './fabric-config.ts';
import { commitStatusRequest } from './gateway-messages.ts';

/** One connection, and what is reached through it. */
export type OpenGateway = {
  readonly gateway: Gateway;
  readonly network: Network;
  readonly contract: Contract;
};

/** What an error of the gateway says: a fault of this gateway, peers that do not agree yet, or something that another attempt will not mend. */
export type Trouble = 'no-answer' | 'unsettled' | 'defect';

const CODES = { deadlineExceeded: 4, failedPrecondition: 9, aborted: 10, unavailable: 14 } as const;

/** Errors of other kinds than the gateway's are thrown on. */
export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof GatewayError)) throw error;
  switch (error.code) {
    case CODES.deadlineExceeded:
    case CODES.unavailable:
      return 'no-answer';
    case CODES.aborted:
    case CODES.failedPrecondition:
      return 'unsettled';
    default:
      return 'defect';
  }
}

/** The gateways that are configured: one is in use, the next is taken when it does not answer. Transactions are signed here, with a key that no peer sees. */
export class GatewayPool implements Disposable {
  readonly #config: FabricConfig;
  readonly #sign: (message: Uint8Array) => Promise<Uint8Array>;
  readonly #identity: { readonly mspId: string; readonly credentials: Uint8Array };
  readonly #open = new Map<number, OpenGateway & { readonly client: Client }>();
  #current = 0;
  #isClosed = false;

  constructor(config: FabricConfig) {
    this.#config = config;
    const { cert = '', key = '' } = config.client.current();
    this.#sign = lowSSigner(key);
    this.#identity = { mspId: config.mspId, credentials: Buffer.from(cert) };
  }

  get size(): number {
    return this.#config.gateways.length;
  }

  get current(): OpenGateway {
    if (this.#isClosed) throw new Fault('system-unavailable', `The connector to ${this.#config.system} is closed.`);
    const known = this.#open.get(this.#current);
    if (known) return known;
    const opened = this.#connect(this.#current);
    this.#open.set(this.#current, opened);
    return opened;
  }

  /** Takes the next gateway, unless another user of this one has done so already. */
  leave(gateway: OpenGateway): void {
    if (this.#open.get(this.#current) === gateway) this.#current = (this.#current + 1) % this.size;
  }

  /** The question what became of a transaction. */
  commitOf({ gateway }: OpenGateway, transaction: string): ReturnType<Gateway['newCommit']> {
    return gateway.newCommit(commitStatusRequest(this.#config.channel, transaction, this.#identity));
  }

  /**
   * Asks the configured organisation's peers alone, by one gateway after the other: left to choose, a gateway turns to other organisations' where those do
   * not answer, and a validator would sign what it did not see. Changes nothing.
   */
  evaluate(chaincode: string, question: string, args: readonly string[]): Promise<Uint8Array> {
    const endorsingOrganizations = [this.#config.mspId];
    return this.#ask(({ network }) =>
      network.getContract(chaincode).evaluate(question, { arguments: [...args], endorsingOrganizations }),
    );
  }

  async #ask(question: (gateway: OpenGateway) => Promise<Uint8Array>): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      const gateway = this.current;
      try {
        return await question(gateway);
      } catch (error) {
        if (troubleOf(error) === 'no-answer' && attempt < this.size) {
          this.leave(gateway);
          continue;
        }
        throw unavailable(this.#config.system, error, false);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { gateway, client } of this.#open.values()) {
      gateway.close();
      client.close();
    }
    this.#open.clear();
  }

  #connect(index: number): OpenGateway & { readonly client: Client } {
    const { channel, chaincode, gateways, timeoutMs } = this.#config;
    const target = gateways[index];
    if (!target) throw new RangeError('there is no gateway');
    const { address, name, authorities } = target;
    const client = new Client(address, grpcCredentials.createSsl(Buffer.from(authorities.current().ca ?? '')), {
      'grpc.ssl_target_name_override': name,
      'grpc.max_receive_message_length': -1,
      'grpc.max_reconnect_backoff_ms': 2000,
    });
    const deadline = () => ({ deadline: Date.now() + timeoutMs });
    const gateway = connect({
      client,
      identity: this.#identity,
      signer: this.#sign,
      // The signer hashes by itself.
      hash: hash.none,
      endorseOptions: deadline,
      submitOptions: deadline,
      evaluateOptions: deadline,
    });
    const network = gateway.getNetwork(channel);
    return { client, gateway, network, contract: network.getContract(chaincode) };
  }
}

export function unavailable(system: string, error: unknown, mayHaveHappened: boolean): Fault {
  if (error instanceof Fault) return error;
  const details =
    error instanceof GatewayError ? error.details.map(({ mspId, message }) => `${mspId}: ${message}`) : [];
  const why = [error instanceof Error ? error.message : 'unknown', ...details].join('; ').slice(0, 500);
  return new Fault('system-unavailable', `${system} gave no answer (${why}).`, { cause: error, mayHaveHappened });
}
