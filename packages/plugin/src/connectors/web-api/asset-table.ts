import { type Terms, formatAmount, parseAmount } from '@linkspan/protocol';

/** One asset of the system and what it is called everywhere else: a currency (ISO 4217) or a security (ISIN). */
export type Asset =
  | { readonly id: string; readonly kind: 'cash'; readonly currency: string }
  | { readonly id: string; readonly kind: 'securities'; readonly isin: string };

/** Translates between an operation's terms and the asset and whole number that the system books. */
export type AssetTable = {
  /** Undefined when the terms name nothing that this system keeps. */
  toSystem(terms: Terms): { readonly asset: string; readonly amount: string } | undefined;
  toTerms(asset: string, amount: string): Terms;
};

export function createAssetTable(assets: readonly Asset[]): AssetTable {
  const byId = new Map(assets.map((asset) => [asset.id, asset]));
  const byCode = new Map(assets.map((asset) => [asset.kind === 'cash' ? asset.currency : asset.isin, asset]));
  return {
    toSystem(terms) {
      const asset = byCode.get(terms['currency'] ?? terms['isin'] ?? '');
      if (asset?.kind === 'cash') {
        const minor = parseAmount(terms['amount'] ?? '', asset.currency);
        return minor.ok ? { asset: asset.id, amount: String(minor.value) } : undefined;
      }
      const quantity = terms['quantity'] ?? '';
      return asset && /^[1-9][0-9]{0,17}$/.test(quantity) ? { asset: asset.id, amount: quantity } : undefined;
    },
    toTerms(id, amount) {
      const asset = byId.get(id);
      if (asset?.kind === 'cash' && /^[0-9]{1,40}$/.test(amount)) {
        return { amount: formatAmount(BigInt(amount), asset.currency), currency: asset.currency };
      }
      if (asset?.kind === 'securities') return { isin: asset.isin, quantity: amount };
      // Something that was never asked for is told as the system tells it; it cannot equal what was asked.
      return { asset: id, amount };
    },
  };
}
