import type { Api } from './api.ts';

/** Positions by `SYSTEM:account asset`, in decimal strings as the API shows them. */
export type Positions = ReadonlyMap<
  string,
  {
    readonly account: string;
    readonly asset: string;
    readonly party: string;
    readonly balance: string;
    readonly held: string;
  }
>;

export async function readPositions(apis: readonly Api[]): Promise<Positions> {
  const positions = new Map<string, { account: string; asset: string; party: string; balance: string; held: string }>();
  for (const api of apis) {
    const { systems } = await api.balances();
    for (const { system, positions: read, problem } of systems) {
      if (problem !== null) throw new Error(`${system} gave no balances: ${problem}`);
      for (const { account, asset, party, balance, held } of read) {
        const id = account.includes(':') ? account : `${system}:${account}`;
        positions.set(`${id} ${asset}`, { account: id, asset, party: party ?? '', balance, held });
      }
    }
  }
  return positions;
}

/** Every position whose balance changed, and by how much. */
export function differencesBetween(
  before: Positions,
  after: Positions,
): { readonly account: string; readonly asset: string; readonly by: string }[] {
  return [...new Set([...before.keys(), ...after.keys()])].toSorted().flatMap((name) => {
    const [a, b] = [before.get(name), after.get(name)];
    const account = a?.account ?? b?.account ?? '';
    const asset = a?.asset ?? b?.asset ?? '';
    const by = subtract(b?.balance ?? '0', a?.balance ?? '0');
    return by === undefined ? [] : [{ account, asset, by }];
  });
}

/** The difference of two decimal strings with the same number of digits, without going through a float; undefined for none. */
function subtract(a: string, b: string): string | undefined {
  const digits = Math.max(fraction(a).length, fraction(b).length);
  const scaled = (text: string): bigint => BigInt(text.replace('.', '') + '0'.repeat(digits - fraction(text).length));
  const difference = scaled(a) - scaled(b);
  if (difference === 0n) return undefined;
  const text = (difference < 0n ? -difference : difference).toString().padStart(digits + 1, '0');
  const sign = difference < 0n ? '-' : '';
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function fraction(text: string): string {
  return text.split('.')[1] ?? '';
}
