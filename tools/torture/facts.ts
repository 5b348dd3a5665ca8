/** What moves: minor units of an asset, from one account of a system to another. */
export type Leg = {
  readonly system: string;
  readonly from: string;
  readonly to: string;
  readonly asset: string;
  readonly amount: bigint;
};

/** What a connected system says that it did, as it says it to anyone: once per operation id. */
export type Effect = {
  readonly system: string;
  /** `transfer` and `dvp` are the participants' own, under a trade id. */
  readonly verb: 'hold' | 'execute' | 'release' | 'fence' | 'transfer' | 'dvp';
  /** 32 bytes in hexadecimal with 0x, of a participant's transfer its own id; undefined where a stranger brought a certificate. */
  readonly operation: string | undefined;
  /** Of a hold its own operation id. */
  readonly hold: string | undefined;
  readonly settlement: string | undefined;
  readonly leg: Leg | undefined;
  readonly trade?: string | undefined;
  /** What moves against the other leg in one step. */
  readonly cash?: Leg | undefined;
};

export type Position = {
  readonly system: string;
  readonly account: string;
  readonly asset: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly free: bigint;
};

/** How one trade was meant, and what its clients were told. */
export type Trade = {
  readonly tradeId: string;
  readonly kind: Kind;
  /** What is held, and executed if it settles, from the text of the instruction. */
  readonly legs: readonly Leg[];
  /** What participants do by themselves: a payment to the buyer, then delivery versus payment in the depository. */
  readonly domestic?: { readonly payment: Leg; readonly delivery: readonly [Leg, Leg] } | undefined;
  readonly deadlineMs: number;
  readonly end: End;
};

/** `refused`: nothing was opened, or nothing that could begin. `stuck`: no end within the patience. */
export type End =
  | {
      readonly phase: 'settled' | 'cancelled' | 'rejected';
      readonly settlement: string | undefined;
      readonly because: string;
      readonly endedMs: number;
      readonly differences: readonly string[];
    }
  | { readonly phase: 'refused'; readonly codes: readonly string[] }
  | { readonly phase: 'stuck'; readonly state: string };

/** `may-settle` must settle unless its deadline passed first; the others say for which reason they cannot. */
export type Kind =
  | { readonly name: 'may-settle' }
  | { readonly name: 'short'; readonly because: string }
  | { readonly name: 'differs'; readonly differences: readonly string[] }
  | { readonly name: 'bad'; readonly codes: readonly string[] };

/** Minor units from a decimal text with at most so many digits after the point; nothing but bigint. */
export function minorUnits(text: string, digits: number): bigint {
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (!match || (match[2] ?? '').length > digits) throw new RangeError(`${text} is no amount with ${digits} decimals`);
  return BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(digits, '0'));
}
