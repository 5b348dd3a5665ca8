import { decodeEventLog, parseAbi } from 'viem';
import { z } from 'zod';
import type { Effect, Leg, Position } from './facts.ts';

export type Register = {
  readonly system: string;
  readonly url: string;
  readonly client: string;
  readonly secret: string;
};
export type Chain = {
  readonly system: string;
  readonly url: string;
  readonly token: string;
  readonly asset: string;
  readonly holders: readonly string[];
};
export type BooksRead = {
  readonly effects: readonly Effect[];
  readonly positions: readonly Position[];
  readonly wrong: readonly string[];
};

const VERBS: Readonly<Record<string, Effect['verb']>> = {
  hold: 'hold',
  execute: 'execute',
  deliver: 'execute',
  release: 'release',
  fence: 'fence',
  transfer: 'transfer',
  dvp: 'dvp',
};
const PAGE = 1000;

/** Everything that a register says it did, from its feed, and its positions. */
export async function readRegister(register: Register): Promise<BooksRead> {
  const { system, url } = register;
  const headers = { authorization: `Bearer ${await tokenOf(register)}` };
  const effects: Effect[] = [];
  for (let after = 0; ;) {
    const { events, next } = eventsSchema.parse(await json(`${url}/events?after=${after}&limit=${PAGE}`, { headers }));
    for (const event of events) {
      const verb = VERBS[event.type];
      if (!verb) continue;
      const { operation, reference, hold, settlement, trade } = event;
      effects.push({
        system,
        verb,
        operation: operation ?? reference,
        hold,
        settlement,
        trade,
        leg: legOf(system, event),
        cash: legOf(system, event.cash ?? {}),
      });
    }
    if (next === after) break;
    after = next;
  }
  const { accounts } = accountsSchema.parse(await json(`${url}/accounts`, { headers }));
  const positions = accounts.flatMap(({ id, positions: rows }) =>
    rows.map(({ asset, balance, held, free }) => ({
      system,
      account: id,
      asset,
      balance: BigInt(balance),
      held: BigInt(held),
      free: BigInt(free),
    })),
  );
  return { effects, positions, wrong: [] };
}

const TOKEN = parseAbi([
  'event Held(bytes32 indexed op, bytes32 indexed settlement, address indexed from, address to, uint256 amount)',
  'event Executed(bytes32 indexed op, bytes32 indexed hold, bytes32 indexed settlement, address from, address to, uint256 amount)',
  'event Released(bytes32 indexed op, bytes32 indexed hold, bytes32 indexed settlement, address from, uint256 amount)',
  'event FencedOp(bytes32 indexed op, bytes4 reason)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
]);
const NOBODY = `0x${'0'.repeat(64)}`;

/** Everything that a token's log says happened, from its first block on, and its balances. Money that moves outside of a hold is wrong. */
export async function readChain({ system, url, token, asset, holders }: Chain): Promise<BooksRead> {
  const effects: Effect[] = [];
  const held = new Map<string, Leg>();
  const moved: string[] = [];
  const executed: string[] = [];
  const logs = logsSchema.parse(
    await rpc(url, 'eth_getLogs', [{ address: token, fromBlock: '0x0', toBlock: 'latest' }]),
  );
  for (const { topics, data } of logs) {
    const event = decode(topics, data);
    if (event?.eventName === 'Transfer') {
      const { from, to, value } = event.args;
      if (BigInt(from) !== 0n) moved.push(`${value} from ${from} to ${to}`.toLowerCase());
    } else if (event?.eventName === 'Held') {
      const { op, settlement, from, to, amount } = event.args;
      const leg = { system, from: from.toLowerCase(), to: to.toLowerCase(), asset, amount };
      held.set(op, leg);
      effects.push({ system, verb: 'hold', operation: op, hold: op, settlement, leg });
    } else if (event?.eventName === 'Executed') {
      const { op, hold, settlement, from, to, amount } = event.args;
      executed.push(`${amount} from ${from} to ${to}`.toLowerCase());
      effects.push({
        system,
        verb: 'execute',
        operation: idOf(op),
        hold,
        settlement,
        leg: { system, from: from.toLowerCase(), to: to.toLowerCase(), asset, amount },
      });
    } else if (event?.eventName === 'Released') {
      const { op, hold, settlement } = event.args;
      effects.push({ system, verb: 'release', operation: idOf(op), hold, settlement, leg: held.get(hold) });
    } else if (event?.eventName === 'FencedOp') {
      effects.push({
        system,
        verb: 'fence',
        operation: event.args.op,
        hold: undefined,
        settlement: undefined,
        leg: undefined,
      });
    }
  }
  const wrong =
    moved.toSorted().join() === executed.toSorted().join()
      ? []
      : [`${system}: ${moved.length} transfers, and ${executed.length} executed holds`];
  const call = async (selector: string, holder = ''): Promise<bigint> => {
    const answer = await rpc(url, 'eth_call', [
      { to: token, data: selector + holder.slice(2).padStart(holder === '' ? 0 : 64, '0') },
      'latest',
    ]);
    return BigInt(z.string().parse(answer));
  };
  const positions: Position[] = [];
  for (const account of holders) {
    // balanceOf, heldBalanceOf and freeBalanceOf, by their selectors.
    const [balance, heldBalance, free] = await Promise.all([
      call(BALANCE_OF, account),
      call(HELD_BALANCE_OF, account),
      call(FREE_BALANCE_OF, account),
    ]);
    positions.push({ system, account: account.toLowerCase(), asset, balance, held: heldBalance, free });
  }
  const [supply, sum] = [await call(TOTAL_SUPPLY), positions.reduce((total, { balance }) => total + balance, 0n)];
  if (supply !== sum) wrong.push(`${system}: ${supply} were issued, and all accounts have ${sum}`);
  return { effects, positions, wrong };
}

const TOTAL_SUPPLY = '0x18160ddd';
const BALANCE_OF = '0x70a08231';
const HELD_BALANCE_OF = '0xbe9c1add';
const FREE_BALANCE_OF = '0x543e9954';

function decode(topics: readonly string[], data: string) {
  const [signature, ...others] = topics.map(hex);
  if (!signature) return undefined;
  try {
    return decodeEventLog({ abi: TOKEN, topics: [signature, ...others], data: hex(data) });
  } catch {
    // Roles and authorisations are no effects.
    return undefined;
  }
}

function hex(text: string): `0x${string}` {
  return `0x${text.slice(2)}`;
}

/** A stranger who brings a certificate has no operation id. */
function idOf(op: string): string | undefined {
  return op === NOBODY ? undefined : op;
}

function legOf(system: string, { from, to, asset, amount }: LegRead): Leg | undefined {
  if (from === undefined || to === undefined || asset === undefined || amount === undefined) return undefined;
  return { system, from, to, asset, amount: BigInt(amount) };
}

async function tokenOf({ url, client, secret }: Register): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  return grantSchema.parse(
    await json(`${url}/oauth/token`, { method: 'POST', headers, body: 'grant_type=client_credentials' }),
  ).access_token;
}

async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await json(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return rpcSchema.parse(answer).result;
}

async function json(url: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

const grantSchema = z.looseObject({ access_token: z.string() });
const rpcSchema = z.looseObject({ result: z.unknown() });
const logsSchema = z.array(z.looseObject({ topics: z.array(z.string()), data: z.string() }));
const text = z.string().optional();
const legSchema = z.looseObject({ from: text, to: text, asset: text, amount: text });
type LegRead = z.infer<typeof legSchema>;
const eventSchema = legSchema.extend({
  type: z.string(),
  operation: text,
  reference: text,
  hold: text,
  settlement: text,
  trade: text,
  cash: legSchema.optional(),
});
const eventsSchema = z.looseObject({
  events: z.array(eventSchema),
  next: z.int(),
});
const accountsSchema = z.looseObject({
  accounts: z.array(
    z.looseObject({
      id: z.string(),
      positions: z.array(z.looseObject({ asset: z.string(), balance: z.string(), held: z.string(), free: z.string() })),
    }),
  ),
});
