import { z } from 'zod';

/**
 * Totals per system and asset, read past the product: straight from the connected systems' own interfaces, summed here. It shares no code
 * with what is being checked, so a wrong sum there cannot hide itself.
 */
export type Totals = Readonly<Record<string, bigint>>;

export type Sources = {
  readonly registers: Readonly<
    Record<string, { readonly url: string; readonly client: string; readonly secret: string }>
  >;
  readonly chains: Readonly<
    Record<string, { readonly rpcUrl: string; readonly token: string; readonly holders: readonly string[] }>
  >;
};

export async function readTotals({ registers, chains }: Sources): Promise<Totals> {
  const totals: Record<string, bigint> = {};
  for (const [system, register] of Object.entries(registers))
    Object.assign(totals, await registerTotals(system, register));
  for (const [system, chain] of Object.entries(chains)) Object.assign(totals, await chainTotals(system, chain));
  return totals;
}

/** What is not conserved, in words; nothing when every total is as before. */
export function lost(before: Totals, after: Totals): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) =>
    before[name] === after[name] ? [] : [`${name}: ${before[name] ?? 'none'} before, ${after[name] ?? 'none'} after`],
  );
}

async function registerTotals(
  system: string,
  { url, client, secret }: Sources['registers'][string],
): Promise<Record<string, bigint>> {
  const credentials = Buffer.from(`${client}:${secret}`).toString('base64');
  const granted = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  const { access_token: token } = tokenSchema.parse(await granted.json());
  const answer = await fetch(`${url}/accounts`, { headers: { authorization: `Bearer ${token}` } });
  const totals: Record<string, bigint> = {};
  for (const { positions } of accountsSchema.parse(await answer.json()).accounts) {
    for (const { asset, balance } of positions)
      totals[`${system} ${asset}`] = (totals[`${system} ${asset}`] ?? 0n) + BigInt(balance);
  }
  return totals;
}

async function chainTotals(
  system: string,
  { rpcUrl, token, holders }: Sources['chains'][string],
): Promise<Record<string, bigint>> {
  const call = async (data: string): Promise<bigint> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: token, data }, 'latest'] });
    const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const answer: unknown = await response.json();
    if (typeof answer !== 'object' || answer === null || !('result' in answer))
      throw new Error(`${system} answered without a result`);
    return BigInt(String(answer.result));
  };
  // totalSupply() and balanceOf(address), by their selectors.
  const supply = await call('0x18160ddd');
  let sum = 0n;
  for (const holder of holders) sum += await call(`0x70a08231${holder.slice(2).padStart(64, '0')}`);
  return { [`${system} supply`]: supply, [`${system} held by all accounts`]: sum };
}

const tokenSchema = z.looseObject({ access_token: z.string() });
const accountsSchema = z.looseObject({
  accounts: z.array(z.looseObject({ positions: z.array(z.looseObject({ asset: z.string(), balance: z.string() })) })),
});
