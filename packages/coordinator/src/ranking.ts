import { type Hash, hashOf } from '@linkspan/protocol';

/** How long the others wait for the one before them. */
export const TAKE_OVER_AFTER_MS = 2000;

/**
 * The order in which organisations write for a settlement: by H(settlement, organisation), so that nobody chooses it and load spreads.
 * The first is the driver; each next takes over when the ones before it made no progress.
 */
export function ranking(id: Hash, organisations: readonly string[]): string[] {
  return [...new Set(organisations)]
    .map((organisation) => ({ organisation, hash: hashOf({ settlement: id, organisation }) }))
    .toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ organisation }) => organisation);
}

/** Whose turn it is after waiting so long. After the last one it is the first one's again: whoever was silent may be back. */
export function whoseTurn(order: readonly string[], waitedMs: number): string | undefined {
  return order[Math.floor(waitedMs / TAKE_OVER_AFTER_MS) % order.length];
}
