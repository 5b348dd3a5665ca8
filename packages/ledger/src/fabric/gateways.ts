import { credentials as grpcCredentials, Client } from '@grpc/grpc-js';
import { connect, type Contract, type Gateway, hash, type Network } from '@hyperledger/fabric-gateway';
import { commitStatusRequest } from './fabric-messages.ts';

/**
 * Signs a message with an organisation's client key: SHA-256 and ECDSA in DER with the smaller `s`, as Fabric takes it. Throws a Fault `ledger-unavailable` where the
 * key is away for now; it is asked again then.
 */
export type MessageSigner = (message: Uint8Array) => Promise<Uint8Array>;

/**
 * A peer whose gateway may be asked: `address` is `host:port`, `name` the one in its certificate, `tlsCa` the PEM of the authority that the certificate
 * comes from.
 */
export type GatewayAddress = { readonly address: string; readonly name: string; readonly tlsCa: string };

export type GatewaysOptions = {
  readonly channel: string;
  readonly chaincode: string;
  /** The client of this organisation: its member service and its certificate in PEM. */
  readonly identity: { readonly mspId: string; readonly certificate: string };
  readonly sign: MessageSigner;
  /** The first is asked while it answers. */
  readonly gateways: readonly GatewayAddress[];
};

/** One connection, and what is reached through it. */
export type OpenGateway = {
  readonly address: string;
  readonly gateway: Gateway;
  readonly network: Network;
  readonly contract: Contract;
};

const ENDORSE_MS = 10_000;
const SUBMIT_MS = 5000;
const EVALUATE_MS = 10_000;

/** An organisation's gateways: one is in use, the next is taken when it does not answer. */
export class Gateways implements Disposable {
  readonly #options: GatewaysOptions;
  readonly #open = new Map<number, OpenGateway & { readonly client: Client }>();
  #current = 0;

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  /** The member service of the organisation whose gateways these are. */
  get mspId(): string {
    return this.#options.identity.mspId;
  }

  get current(): OpenGateway {
    const known = this.#open.get(this.#current);
    if (known) return known;
    const opened = this.#connect(this.#current);
    this.#open.set(this.#current, opened);
    return opened;
  }

  /** Asks the organisation's own peers alone: left to choose, a gateway turns to other organisations' where the own ones do not answer. */
  evaluate(
    { network }: OpenGateway,
    chaincode: string,
    question: string,
    args: readonly string[],
  ): Promise<Uint8Array> {
    return network
      .getContract(chaincode)
      .evaluate(question, { arguments: [...args], endorsingOrganizations: [this.mspId] });
  }

  /** Takes the next gateway, unless another user of this one has done so already. */
  leave(gateway: OpenGateway): void {
    if (this.#open.get(this.#current) === gateway) this.#current = (this.#current + 1) % this.#options.gateways.length;
  }

  /** The question what became of a transaction, for when its submission got no good answer. */
  commitOf({ gateway }: OpenGateway, transaction: string): ReturnType<Gateway['newCommit']> {
    const { channel, identity } = this.#options;
    const credentials = Buffer.from(identity.certificate);
    return gateway.newCommit(commitStatusRequest(channel, transaction, { mspId: identity.mspId, credentials }));
  }

  [Symbol.dispose](): void {
    for (const { gateway, client } of this.#open.values()) {
      gateway.close();
      client.close();
    }
    this.#open.clear();
  }

  #connect(index: number): OpenGateway & { readonly client: Client } {
    const { channel, chaincode, identity, sign, gateways } = this.#options;
    const target = gateways[index];
    if (!target) throw new RangeError('there is no gateway');
    const { address, name, tlsCa } = target;
    const client = new Client(address, grpcCredentials.createSsl(Buffer.from(tlsCa)), {
      'grpc.ssl_target_name_override': name,
      'grpc.max_receive_message_length': -1,
      'grpc.max_reconnect_backoff_ms': 2000,
    });
    const gateway = connect({
      client,
      identity: { mspId: identity.mspId, credentials: Buffer.from(identity.certificate) },
      signer: sign,
      // The signer hashes by itself.
      hash: hash.none,
      endorseOptions: () => ({ deadline: Date.now() + ENDORSE_MS }),
      submitOptions: () => ({ deadline: Date.now() + SUBMIT_MS }),
      evaluateOptions: () => ({ deadline: Date.now() + EVALUATE_MS }),
    });
    const network = gateway.getNetwork(channel);
    return { address, client, gateway, network, contract: network.getContract(chaincode) };
  }
}
