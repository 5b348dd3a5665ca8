import { Fault } from '@linkspan/protocol';
import { isObject } from '../../document-reader.ts';
import { type JsonRpc, toHex } from './json-rpc.ts';

/**
 * Watches over what was final. A final block that is replaced by another one breaks the promise that everything here rests on: from then on the
 * connector says nothing any more, until people have looked and start it again. Nothing is compensated.
 */
export type Finality = {
  /** Compares the last final block that was read with what the chain has in its place now, and goes on to `block`. */
  stillThere(block: number): Promise<void>;
  /** Throws a Fault `system-unavailable` once a final block has vanished. */
  check(): void;
};

export function createFinality(rpc: JsonRpc, system: string): Finality {
  let last: { readonly block: number; readonly hash: string } | undefined;
  let vanished: string | undefined;

  async function hashOfBlock(block: number): Promise<string | undefined> {
    const header = await rpc.call('eth_getBlockByNumber', [toHex(block), false]);
    return isObject(header) && typeof header['hash'] === 'string' ? header['hash'] : undefined;
  }

  function check(): void {
    if (vanished !== undefined) throw new Fault('system-unavailable', vanished);
  }

  return {
    check,
    async stillThere(block) {
      const before = last;
      const [hash, again] = await Promise.all([hashOfBlock(block), before ? hashOfBlock(before.block) : undefined]);
      // A node that lags behind shows nothing in its place, which says nothing.
      if (before && again !== undefined && again !== before.hash) {
        vanished = `Block ${before.block} of ${system} was final (${before.hash}) and has been replaced (${again}). Nothing more is stated until people have looked.`;
      }
      check();
      if (hash !== undefined && block >= (before?.block ?? 0)) last = { block, hash };
    },
  };
}
