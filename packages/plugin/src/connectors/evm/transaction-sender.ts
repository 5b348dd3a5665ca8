import { Fault } from '@linkspan/protocol';
import { keccak256, type LocalAccount } from 'viem';
import { isObject } from '../../document-reader.ts';
import type { HeadWatch } from './head-watch.ts';
import { asHex, asNumber, type Hex, isHexText, type JsonRpc, RpcError, unintelligible } from './json-rpc.ts';

/** What became of a transaction: mined, and whether it was reverted. */
export type Mined = { readonly hash: Hex; readonly block: number; readonly reverted: boolean };

/**
 * The one writer of an account. Many transactions are in flight at once, each with its nonce; what the node lost is sent again, what is stuck is
 * replaced by the same call for a higher fee, and gaps left by an earlier life are filled. Sending the same call again while it is in flight joins it.
 */
export type TransactionSender = {
  /** Resolves once mined. Throws a Fault when the node gave no answer; the transaction may then still be mined, and goes on being sent. */
  send(call: { readonly to: Hex; readonly data: Hex; readonly gas: bigint }): Promise<Mined>;
  close(): void;
};

export type SenderOptions = {
  readonly rpc: JsonRpc;
  readonly head: HeadWatch;
  readonly account: LocalAccount;
  readonly system: string;
  /** After how long a transaction that the node has and does not mine is sent again for a higher fee. */
  readonly stuckMs: number;
};

type Call = { readonly to: Hex; readonly data: Hex; readonly gas: bigint };

type InFlight = {
  call: Call;
  nonce: number;
  gasPrice: bigint;
  raw: Hex;
  /** Of every version that was sent, the latest first. */
  hashes: Hex[];
  acknowledged: boolean;
  /** When this version was first sent, and when it was last tried. */
  sentAtMs: number;
  triedAtMs: number;
  missedReceipts: number;
  /** It is being given another nonce. */
  moving: boolean;
  readonly mined: PromiseWithResolvers<Mined>;
};

type Chain = { readonly chainId: number; gasPrice: bigint; nextNonce: number };

const RESEND_MS = 1_000;
const LOOKED_AT = 50;
/** A whole coin for a unit of gas. Nobody means that; a node that asks for it is not believed. */
const HIGHEST_GAS_PRICE = 10n ** 18n;

export function createTransactionSender({ rpc, head, account, system, stuckMs }: SenderOptions): TransactionSender {
  const address = account.address;
  const byNonce = new Map<number, InFlight>();
  const byCall = new Map<string, InFlight>();
  let chain: Promise<Chain> | undefined;
  let order: Promise<unknown> = Promise.resolve();
  let unfollow: (() => void) | undefined;
  let looking = false;
  let closed = false;

  async function send(call: Call): Promise<Mined> {
    const known = byCall.get(call.data);
    if (known) {
      if (!known.acknowledged) await deliver(known);
      return known.mined.promise;
    }
    const entry = await enqueue(call);
    await deliver(entry);
    return entry.mined.promise;
  }

  /** Takes the next nonce and signs, one call after the other, so that nonces reach the node in their order. */
  function enqueue(call: Call): Promise<InFlight> {
    const entry = order.then(async () => {
      const known = byCall.get(call.data);
      if (known) return known;
      const state = await chainState();
      const fresh = await signed(call, state, state.nextNonce, state.gasPrice);
      state.nextNonce++;
      track(fresh);
      return fresh;
    });
    order = entry.catch(() => undefined);
    return entry;
  }

  function track(entry: InFlight): void {
    if (closed) throw closedFault();
    byNonce.set(entry.nonce, entry);
    byCall.set(entry.call.data, entry);
    unfollow ??= head.follow(() => void look());
  }

  function closedFault(): Fault {
    return new Fault('system-unavailable', `The connector of ${system} was closed.`, { mayHaveHappened: true });
  }

  async function chainState(): Promise<Chain> {
    const asked = (chain ??= askChain());
    try {
      return await asked;
    } catch (error) {
      if (chain === asked) chain = undefined;
      throw error;
    }
  }

  async function askChain(): Promise<Chain> {
    const [chainId, gasPrice, nextNonce] = await Promise.all([
      rpc.call('eth_chainId', []),
      rpc.call('eth_gasPrice', []),
      rpc.call('eth_getTransactionCount', [address, 'pending']),
    ]);
    return { chainId: asNumber(chainId), gasPrice: feeOf(gasPrice), nextNonce: asNumber(nextNonce) };
  }

  async function signed(call: Call, { chainId }: Chain, nonce: number, gasPrice: bigint): Promise<InFlight> {
    const raw = await account.signTransaction({ type: 'legacy', chainId, nonce, gasPrice, ...call });
    const mined = Promise.withResolvers<Mined>();
    // Nobody may be waiting any more when it is mined.
    mined.promise.catch(() => undefined);
    const nowMs = performance.now();
    return {
      call,
      nonce,
      gasPrice,
      raw,
      hashes: [keccak256(raw)],
      acknowledged: false,
      sentAtMs: nowMs,
      triedAtMs: nowMs,
      missedReceipts: 0,
      moving: false,
      mined,
    };
  }

  async function deliver(entry: InFlight): Promise<void> {
    try {
      await rpc.call('eth_sendRawTransaction', [entry.raw]);
      entry.acknowledged = true;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      await rejected(entry, error);
    }
    head.hurry();
    void look();
  }

  async function rejected(entry: InFlight, error: RpcError): Promise<void> {
    switch (rejectionOf(error)) {
      case 'known':
        entry.acknowledged = true;
        return;
      case 'nonce-used':
        // Either this very transaction was mined, which the receipt tells, or another one of this account's took the nonce.
        if (await settleByReceipt(entry)) return;
        return moveToNextNonce(entry);
      case 'nonce-occupied':
        return entry.acknowledged ? undefined : moveToNextNonce(entry);
      case 'refused':
        entry.mined.reject(
          new Fault('system-unavailable', `${system} does not take the transaction: ${error.message}`, {
            cause: error,
            mayHaveHappened: true,
          }),
        );
        return fillNonce(entry);
    }
  }

  async function moveToNextNonce(entry: InFlight): Promise<void> {
    if (entry.moving) return;
    entry.moving = true;
    const moved = order.then(async () => {
      const state = await chainState();
      const pending = asNumber(await rpc.call('eth_getTransactionCount', [address, 'pending']));
      state.nextNonce = Math.max(state.nextNonce, pending, entry.nonce + 1);
      const again = await signed(entry.call, state, state.nextNonce, entry.gasPrice);
      state.nextNonce++;
      if (closed) throw closedFault();
      // Only now does it leave its old place, so that whatever fails before leaves it where the next round finds it.
      byNonce.delete(entry.nonce);
      const { nonce, raw, hashes, sentAtMs, triedAtMs } = again;
      Object.assign(entry, { nonce, raw, hashes, sentAtMs, triedAtMs, acknowledged: false, missedReceipts: 0 });
      byNonce.set(entry.nonce, entry);
    });
    order = moved.catch(() => undefined);
    try {
      await moved;
    } finally {
      entry.moving = false;
    }
    await deliver(entry);
  }

  /** A nonce whose call the node will never take is used up by an empty transaction to oneself, or every later one would wait for it. */
  async function fillNonce(entry: InFlight): Promise<void> {
    byCall.delete(entry.call.data);
    const state = await chainState();
    const filler = await signed({ to: address, data: '0x', gas: 21_000n }, state, entry.nonce, entry.gasPrice);
    byNonce.set(entry.nonce, filler);
    await deliverQuietly(filler);
  }

  /** After every block: which of the lowest nonces are mined; now and then: what was lost, stuck or missing. */
  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    try {
      const lowest = [...byNonce.values()].toSorted((a, b) => a.nonce - b.nonce).slice(0, LOOKED_AT);
      const asked = [rpc.call('eth_getTransactionCount', [address, 'latest']), ...lowest.map(settleByReceipt)] as const;
      const [count] = await Promise.all(asked);
      await maintain(
        lowest.filter((entry) => byNonce.get(entry.nonce) === entry),
        asNumber(count),
      );
      if (byNonce.size === 0) {
        unfollow?.();
        unfollow = undefined;
      }
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof RpcError)) throw error;
    } finally {
      looking = false;
    }
  }

  async function settleByReceipt(entry: InFlight): Promise<boolean> {
    for (const hash of entry.hashes) {
      const receipt = await rpc.call('eth_getTransactionReceipt', [hash]);
      if (!isObject(receipt) || !isHexText(receipt['blockNumber'])) continue;
      byNonce.delete(entry.nonce);
      if (byCall.get(entry.call.data) === entry) byCall.delete(entry.call.data);
      entry.mined.resolve({ hash, block: asNumber(receipt['blockNumber']), reverted: receipt['status'] === '0x0' });
      return true;
    }
    return false;
  }

  async function maintain(waiting: readonly InFlight[], count: number): Promise<void> {
    const nowMs = performance.now();
    for (const entry of waiting) {
      // A mined nonce without our receipt, seen more than once because nodes behind one address differ: somebody else's transaction took it.
      if (entry.nonce < count) {
        if (++entry.missedReceipts <= 3) continue;
        if (entry.call.to === address) byNonce.delete(entry.nonce);
        else await moveToNextNonce(entry);
      } else if (entry.nonce === count && entry.acknowledged && nowMs - entry.sentAtMs > stuckMs) await replace(entry);
      else if (nowMs - entry.triedAtMs > RESEND_MS) await deliverQuietly(entry);
    }
    const first = waiting[0];
    if (first && first.nonce > count && nowMs - first.sentAtMs > RESEND_MS) await fillGap(count, first.nonce);
  }

  /** The same call and nonce for a fee at least an eighth higher, which nodes accept as a replacement. */
  async function replace(entry: InFlight): Promise<void> {
    const state = await chainState();
    const gasPrice = entry.gasPrice + entry.gasPrice / 8n + 1n;
    if (gasPrice > HIGHEST_GAS_PRICE) return;
    const { raw, hashes, sentAtMs } = await signed(entry.call, state, entry.nonce, gasPrice);
    Object.assign(entry, { raw, gasPrice, sentAtMs, hashes: [...hashes, ...entry.hashes] });
    await deliverQuietly(entry);
  }

  async function fillGap(from: number, to: number): Promise<void> {
    const state = await chainState();
    // A few at a time, since how wide the gap is follows from what the node says.
    for (let nonce = from; nonce < Math.min(to, from + LOOKED_AT); nonce++) {
      if (byNonce.has(nonce)) continue;
      const filler = await signed({ to: address, data: '0x', gas: 21_000n }, state, nonce, state.gasPrice);
      byNonce.set(nonce, filler);
      await deliverQuietly(filler);
    }
  }

  /** Sends again without anybody waiting; what goes wrong is tried again at the next round. */
  async function deliverQuietly(entry: InFlight): Promise<void> {
    entry.triedAtMs = performance.now();
    try {
      await rpc.call('eth_sendRawTransaction', [entry.raw]);
      entry.acknowledged = true;
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof RpcError)) throw error;
      if (error instanceof RpcError && rejectionOf(error) === 'known') entry.acknowledged = true;
    }
  }

  return {
    send,
    close() {
      closed = true;
      unfollow?.();
      for (const entry of byNonce.values()) entry.mined.reject(closedFault());
      byNonce.clear();
      byCall.clear();
    },
  };
}

function feeOf(value: unknown): bigint {
  const hex = asHex(value);
  const gasPrice = hex === '0x' || hex.length > 66 ? HIGHEST_GAS_PRICE + 1n : BigInt(hex);
  if (gasPrice > HIGHEST_GAS_PRICE) throw unintelligible(value, 'a gas price was due');
  return gasPrice;
}

/** Nodes agree on the meaning of these answers, not on their words (geth, Besu, GoQuorum, anvil). */
function rejectionOf({ message }: RpcError): 'known' | 'nonce-used' | 'nonce-occupied' | 'refused' {
  if (/already known|already imported|known transaction/i.test(message)) return 'known';
  if (/nonce too low|nonce is too low|nonce.*below/i.test(message)) return 'nonce-used';
  if (/underpriced|replacement/i.test(message)) return 'nonce-occupied';
  return 'refused';
}
