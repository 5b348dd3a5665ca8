import { parseAmount, type Terms } from '@linkspan/protocol';

/** How much of what, and what a system says when there is too little of it. */
export type MovedAsset = { readonly asset: string; readonly units: bigint; readonly shortReason: 'MONY' | 'LACK' };

/** What the terms of a hold move: cash in minor units, or so many of a security. */
export function movedBy(terms: Terms): MovedAsset | undefined {
  const { amount, currency, isin, quantity, from: _, to: __, ...others } = terms;
  if (Object.keys(others).length > 0) return undefined;
  if (amount !== undefined && currency !== undefined && isin === undefined && quantity === undefined) {
    const parsed = parseAmount(amount, currency);
    return parsed.ok ? { asset: currency, units: parsed.value, shortReason: 'MONY' } : undefined;
  }
  if (isin === undefined || quantity === undefined || amount !== undefined || currency !== undefined) return undefined;
  return /^[1-9][0-9]*$/.test(quantity) ? { asset: isin, units: BigInt(quantity), shortReason: 'LACK' } : undefined;
}

/** Opening balances may be nothing at all, which no amount that moves may be. */
export function unitsOf(amount: string, asset: string): bigint {
  if (/^0(\.0+)?$/.test(amount)) return 0n;
  if (asset.length > 3) return BigInt(amount);
  const parsed = parseAmount(amount, asset);
  if (!parsed.ok) throw new TypeError(`${amount} ${asset} is no opening balance: ${parsed.message}`);
  return parsed.value;
}
