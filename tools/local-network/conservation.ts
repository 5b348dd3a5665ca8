import { DatabaseSync } from 'node:sqlite';

/**
 * Totals per system and asset, read past the product: straight from the connected systems' own storage and chain, summed here. It shares no code
 * with what is being checked, so a wrong sum there cannot hide itself.
 */
export type Totals = Readonly<Record<string, bigint>>;

export type Sources = {
  readonly databases: Readonly<Record<string, string>>;
  readonly chains: Readonly<Record<string, { readonly rpcUrl: string; readonly token: string; readonly holders: readonly string[] }>>;
};

export async function readTotals({ databases, chains }: Sources): Promise<Totals> {
  const totals: Record<string, bigint> = {};
  for (const [system, path] of Object.entries(databases)) Object.assign(totals, databaseTotals(system, path));
  for (const [system, chain] of Object.entries(chains)) Object.assign(totals, await chainTotals(system, chain));
  return totals;
}

/** What is not conserved, in words; nothing when every total is as before. */
export function lost(before: Totals, after: Totals): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => (before[name] === after[name] ? [] : [`${name}: ${before[name] ?? 'none'} before, ${after[name] ?? 'none'} after`]));
}

function databaseTotals(system: string, path: string): Record<string, bigint> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 });
  const totals: Record<string, bigint> = {};
  const statement = database.prepare('SELECT asset, free, held FROM positions');
  statement.setReadBigInts(true);
  for (const row of statement.iterate()) {
    const name = `${system} ${String(row['asset'])}`;
    totals[name] = (totals[name] ?? 0n) + BigInt(String(row['free'])) + BigInt(String(row['held']));
  }
  database.close();
  return totals;
}

async function chainTotals(system: string, { rpcUrl, token, holders }: Sources['chains'][string]): Promise<Record<string, bigint>> {
  const call = async (data: string): Promise<bigint> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: token, data }, 'latest'] });
    const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const answer: unknown = await response.json();
    if (typeof answer !== 'object' || answer === null || !('result' in answer)) throw new Error(`${system} answered without a result`);
    return BigInt(String(answer.result));
  };
  // totalSupply() and balanceOf(address), by their selectors.
  const supply = await call('0x18160ddd');
  let sum = 0n;
  for (const holder of holders) sum += await call(`0x70a08231${holder.slice(2).padStart(64, '0')}`);
  return { [`${system} supply`]: supply, [`${system} held by all accounts`]: sum };
}
