import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { Fault, type Hash } from '@linkspan/protocol';
import type { Archive, ArchivedBlocks, ArchivedCall } from '../archive.ts';
import { ArchiveStore, type BlockToKeep } from './archive-store.ts';
import { fabricBlockOf } from './block-number.ts';
import { isConfigurationBlock, provablePart, readBlock } from './fabric-block.ts';
import { transactionsOfBlock } from './fabric-messages.ts';
import { isMissingSignature } from './gateway-errors.ts';
import type { Gateways } from './gateways.ts';

const RECONNECT_AFTER_MS = 500;

export type FabricArchiveOptions = {
  readonly gateways: Gateways;
  readonly chaincode: string;
  readonly file: string;
  /** The number of blocks that the peer has. */
  readonly height: () => Promise<bigint>;
  readonly patienceMs: number;
};

/**
 * The archive of an organisation on Fabric: it reads every block of its own peer into a file of its own. A question is answered when everything is in it
 * that the peer had at that moment.
 */
export class FabricArchive implements Archive, AsyncDisposable {
  readonly host = 'fabric';
  readonly #options: FabricArchiveOptions;
  readonly #store: ArchiveStore;
  readonly #closed = new AbortController();
  readonly #following: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #broken: unknown;

  constructor(options: FabricArchiveOptions) {
    this.#options = options;
    this.#store = new ArchiveStore(options.file);
    this.#following = this.#follow();
  }

  async calls(ids: readonly Hash[]): Promise<readonly ArchivedCall[]> {
    await this.#catchUp();
    return this.#store.byIds([...new Set(ids)]);
  }

  async about(proposal: Hash): Promise<readonly ArchivedCall[]> {
    await this.#catchUp();
    return this.#store.about(proposal);
  }

  async environment(upTo = Number.MAX_SAFE_INTEGER): Promise<readonly ArchivedCall[]> {
    await this.#catchUp();
    return this.#store.environment(upTo);
  }

  async reports(upTo: number): Promise<readonly ArchivedCall[]> {
    await this.#catchUp();
    return this.#store.reports(upTo);
  }

  async period(
    from: number,
    to: number,
    { limit, after = '0' }: Parameters<Archive['period']>[2],
  ): ReturnType<Archive['period']> {
    if (!/^[0-9]{1,16}$/.test(after)) throw new Fault('request-invalid', 'The cursor is none of this ledger.');
    await this.#catchUp();
    const found = this.#store.subjects(from, to, Number(after), limit);
    const last = found.length < limit ? undefined : found.at(-1);
    return { proposals: found.map(({ subject }) => subject), next: last ? String(last.place) : null };
  }

  async blocks(checkpoints: readonly number[]): Promise<ArchivedBlocks> {
    await this.#catchUp();
    const numbers = new Set(checkpoints.map((checkpoint) => Number(fabricBlockOf(checkpoint))));
    const blocks = this.#store.blocks([...numbers]);
    return {
      chaincode: this.#options.chaincode,
      blocks: blocks.map(({ number, content }) => ({ number, content: Buffer.from(content).toString('base64') })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#following;
    this.#store[Symbol.dispose]();
  }

  async #catchUp(): Promise<void> {
    const { height, patienceMs } = this.#options;
    const needed = await height();
    const late = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(patienceMs)]);
    while (this.#store.next() < needed) {
      if (this.#broken !== undefined)
        throw new Fault('storage-unavailable', 'The archive of calls stopped.', { cause: this.#broken });
      if (late.aborted) throw new Fault('ledger-unavailable', `The archive has not come to block ${needed - 1n} yet.`);
      await this.#nextBlock(late);
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed;
    try {
      while (!signal.aborted) {
        await this.#readBlocks(signal);
        await delay(RECONNECT_AFTER_MS, undefined, { signal }).catch(() => undefined);
      }
    } catch (error) {
      this.#broken = error;
      this.#wake();
    }
  }

  async #readBlocks(signal: AbortSignal): Promise<void> {
    const { gateways, chaincode } = this.#options;
    const gateway = gateways.current;
    try {
      const blocks = await gateway.network.getBlockEvents({ startBlock: this.#store.next() });
      const close = (): void => blocks.close();
      signal.addEventListener('abort', close, { once: true });
      if (signal.aborted) close();
      try {
        for await (const block of blocks) {
          this.#store.append(blockToKeep(block.serializeBinary(), chaincode));
          this.#wake();
        }
      } finally {
        signal.removeEventListener('abort', close);
        close();
      }
    } catch (error) {
      if (!(error instanceof GatewayError || isMissingSignature(error))) throw error;
      if (!signal.aborted) gateways.leave(gateway);
    }
  }

  #nextBlock(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}

function blockToKeep(block: Uint8Array, chaincode: string): BlockToKeep {
  const { number, transactions } = transactionsOfBlock(block, chaincode);
  const isConfiguration = isConfigurationBlock(readBlock(block));
  const proves = isConfiguration || transactions.length > 0;
  return { number, transactions, proof: proves ? { content: provablePart(block), isConfiguration } : undefined };
}
