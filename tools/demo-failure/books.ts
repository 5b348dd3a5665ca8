import { setTimeout as delay } from 'node:timers/promises';
import { formatForPeople } from '@linkspan/protocol';
import { z } from 'zod';
import type { Leg, Position } from '../torture/facts.ts';
import { type Chain, readChain, readRegister, type Register } from '../torture/read-books.ts';

/** The connected systems, asked past Linkspan: what they say stands also while Linkspan is dead. */
export type Books = { readonly registers: readonly Register[]; readonly chain: Chain };

/** Balance and what of it is held, in minor units, by `SYSTEM:account ASSET`. */
export type Holdings = ReadonlyMap<string, Pick<Position, 'balance' | 'held'>>;

export async function readHoldings({ registers, chain }: Books): Promise<Holdings> {
  const read = await Promise.all([...registers.map(readRegister), readChain(chain)]);
  return new Map(
    read
      .flatMap(({ positions }) => positions)
      .map(({ system, account, asset, balance, held }) => [`${system}:${account} ${asset}`, { balance, held }]),
  );
}

/** What the accounts must have after some legs were delivered, and nothing else happened; nothing of it is held. */
export function afterDelivery(before: Holdings, delivered: readonly Leg[]): Holdings {
  const after = new Map(before);
  const add = (name: string, amount: bigint): void => {
    const { balance, held } = after.get(name) ?? { balance: 0n, held: 0n };
    after.set(name, { balance: balance + amount, held });
  };
  for (const { system, from, to, asset, amount } of delivered) {
    add(`${system}:${from} ${asset}`, -amount);
    add(`${system}:${to} ${asset}`, amount);
  }
  return after;
}

/** Every position that is not as it should be, in words; none where the books reconcile. */
export function mismatches(expected: Holdings, found: Holdings): string[] {
  const nothing = { balance: 0n, held: 0n };
  return [...new Set([...expected.keys(), ...found.keys()])].toSorted().flatMap((name) => {
    const [should, is] = [expected.get(name) ?? nothing, found.get(name) ?? nothing];
    const asset = name.slice(name.indexOf(' ') + 1);
    const wrong: string[] = [];
    if (should.balance !== is.balance)
      wrong.push(`${name}: ${amountIn(is.balance, asset)}, and it should be ${amountIn(should.balance, asset)}`);
    if (should.held !== is.held)
      wrong.push(`${name}: ${amountIn(is.held, asset)} is held, and it should be ${amountIn(should.held, asset)}`);
    return wrong;
  });
}

/** An amount as people read it: `6,711.41`. Securities have whole units here, as yen do. */
export function amountIn(minor: bigint, asset: string): string {
  return formatForPeople(minor, asset.length === 3 ? asset : 'JPY');
}

/** Looks into a register's books; what it gives resolves when one more hold stands in them, with false where the signal fires before. */
export async function nextHold(register: Register, signal: AbortSignal): Promise<() => Promise<boolean>> {
  const { url, client, secret } = register;
  const granted = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const { access_token: token } = tokenSchema.parse(await granted.json());
  const read = async (after: number): Promise<z.infer<typeof feedSchema>> =>
    feedSchema.parse(
      await (
        await fetch(`${url}/events?after=${after}&limit=1000`, { headers: { authorization: `Bearer ${token}` } })
      ).json(),
    );
  let last = 0;
  for (let page = await read(0); page.next !== last; page = await read(last)) last = page.next;
  return async () => {
    while (!signal.aborted) {
      const { events, next } = await read(last);
      if (events.some(({ type }) => type === 'hold')) return true;
      last = next;
      await delay(LOOK_AGAIN_MS);
    }
    return false;
  };
}

const LOOK_AGAIN_MS = 2;

const tokenSchema = z.looseObject({ access_token: z.string() });
const feedSchema = z.looseObject({ events: z.array(z.looseObject({ type: z.string() })), next: z.int() });
