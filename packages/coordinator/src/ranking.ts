import { type Hash, hashOf } from '@linkspan/protocol';

/** How long the others wait for the one before them, where the ledger is quick. */
export const TAKE_OVER_AFTER_MS = 2000;

/** A slow ledger would only become slower by those who take over. */
const PACES_WAITED = 4;
/** Slower than this a ledger is not slow, but gone; when it is back, nobody shall have waited for nothing. */
const SLOWEST_PACE_MS = 5000;

/** How long the others wait for the one before them, when even the quickest statement needs so long to be on the ledger. */
export function takeOverAfterMs(paceMs: number): number {
  return Math.max(TAKE_OVER_AFTER_MS, PACES_WAITED * Math.min(paceMs, SLOWEST_PACE_MS));
}

/**
 * The order in which organisations write: by H(id, organisation), so that nobody chooses it and load spreads.
 * The first is the driver; each next takes over when the ones before it made no progress.
 */
export function ranking(id: Hash, organisations: readonly string[]): string[] {
  return [...new Set(organisations)]
    .map((organisation) => ({ organisation, hash: hashOf({ settlement: id, organisation }) }))
    .toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
    .map(({ organisation }) => organisation);
}

/** Whose turn it is after waiting so long. After the last one it is the first one's again: whoever was silent may be back. */
export function whoseTurn(order: readonly string[], waitedMs: number, paceMs = 0): string | undefined {
  return order[Math.floor(waitedMs / takeOverAfterMs(paceMs)) % order.length];
}
