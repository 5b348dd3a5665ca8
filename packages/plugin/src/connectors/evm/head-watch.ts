import { Fault } from '@linkspan/protocol';
import { pause } from '../../pause.ts';
import { asNumber, type JsonRpc, RpcError } from './json-rpc.ts';

/**
 * One poller of the chain's height, shared by everything in the connector that waits for blocks. It polls while somebody waits: fast while
 * something is expected, slowly otherwise.
 */
export type HeadWatch = {
  /** Resolves with the last final block once it is beyond `block`; with the last known one, or -1, when the signal fires. */
  finalBeyond(block: number, signal: AbortSignal): Promise<number>;
  /** Asks the node now. */
  latest(): Promise<number>;
  /** Keeps the poller going and calls back after each poll that found the chain longer, and at least every `REPEAT_MS`. */
  follow(listener: (latest: number) => void): () => void;
  /** Something is expected: poll fast for a while, beginning now. */
  hurry(): void;
  close(): void;
};

export type PollingMs = { readonly busy: number; readonly idle: number };

const HURRY_MS = 2_000;
export const REPEAT_MS = 500;

export function createHeadWatch(options: {
  readonly rpc: JsonRpc;
  readonly confirmations: number;
  readonly pollingMs: PollingMs;
}): HeadWatch {
  const { rpc, confirmations, pollingMs } = options;
  const listeners = new Set<(latest: number) => void>();
  const closed = new AbortController();
  let known = -1;
  let published = 0;
  let hurriedUntil = 0;
  let awake = new AbortController();
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (listeners.size > 0 && !closed.signal.aborted) {
      awake = new AbortController();
      await poll();
      const interval = performance.now() < hurriedUntil ? pollingMs.busy : pollingMs.idle;
      await pause(interval, awake.signal, closed.signal);
    }
    running = false;
  }

  async function poll(): Promise<void> {
    try {
      const latest = await ask();
      const repeat = performance.now() - published > REPEAT_MS;
      if (latest <= known && !repeat) return;
      known = Math.max(known, latest);
      published = performance.now();
      for (const listener of listeners) listener(known);
    } catch (error) {
      // A node that is away or in trouble is asked again at the next poll; whoever waits goes on waiting.
      if (!(error instanceof Fault) && !(error instanceof RpcError)) throw error;
    }
  }

  async function ask(): Promise<number> {
    return asNumber(await rpc.call('eth_blockNumber', []));
  }

  function follow(listener: (latest: number) => void): () => void {
    listeners.add(listener);
    if (!running) void run();
    return () => void listeners.delete(listener);
  }

  return {
    latest: ask,
    follow,
    finalBeyond(block, signal) {
      if (known - confirmations > block || signal.aborted) return Promise.resolve(known - confirmations);
      return new Promise((resolve) => {
        const stop = follow((latest) => {
          if (latest - confirmations > block) done();
        });
        signal.addEventListener('abort', done, { once: true });
        function done(): void {
          stop();
          signal.removeEventListener('abort', done);
          resolve(known - confirmations);
        }
      });
    },
    hurry() {
      hurriedUntil = performance.now() + HURRY_MS;
      awake.abort();
    },
    close() {
      closed.abort();
      listeners.clear();
    },
  };
}
