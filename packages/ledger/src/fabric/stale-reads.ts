import { textOf } from './channel-members.ts';
import { allBytes, bytesAt, numberAt } from './protobuf.ts';

/** Where a transaction stands: its block, and its place among all transactions of the block. */
type Version = { readonly block: bigint; readonly place: number };

/**
 * Looks for transactions that cannot have taken effect together: one read what another, earlier one had replaced. Peers refuse such a transaction
 * by themselves, and no signature says which they refused.
 */
export class StaleReads {
  readonly #written = new Map<string, Version>();

  /** The key that a TxReadWriteSet read too early, undefined where none; what it wrote counts from now on. Transactions come in their order. */
  take(readsAndWrites: Uint8Array, at: Version): string | undefined {
    const written: string[] = [];
    for (const namespace of allBytes(readsAndWrites, 2)) {
      const name = textOf(bytesAt(namespace, 1));
      const set = bytesAt(namespace, 2);
      for (const read of allBytes(set, 1)) {
        const key = textOf(bytesAt(read, 1));
        const before = this.#written.get(`${name} ${key}`);
        const [version] = allBytes(read, 2);
        // A key that was not there may have been deleted in between by a transaction that is not looked at.
        if (before && version && isBefore(version, before)) return key;
      }
      for (const write of allBytes(set, 3)) written.push(`${name} ${textOf(bytesAt(write, 1))}`);
    }
    for (const key of written) this.#written.set(key, at);
    return undefined;
  }
}

function isBefore(version: Uint8Array, { block, place }: Version): boolean {
  const read = numberAt(version, 1);
  return read < block || (read === block && numberAt(version, 2) < BigInt(place));
}
