import type { Epoch } from './typed-data.ts';

/** What the ledger keeps, under one key each, so that only who touches the same account or hold meets another. Amounts are decimal strings. */
export type Token = { network: string; issuer: string; latestEpoch: number };
export type Account = { owner: string; balance: string; held: string };
export type Hold = {
  status: 'held' | 'executed' | 'released';
  epoch: number;
  settlement: string;
  from: string;
  to: string;
  amount: string;
  /** Of the transaction that delivered or released it. */
  closedBy?: string;
};
export type Operation =
  | { status: 'effective'; kind: 'hold' | 'execute' | 'release'; hold: string; transaction: string }
  | { status: 'fenced'; reason: string; transaction: string };

type Records = {
  token: Token;
  epoch: Epoch;
  executor: true;
  account: Account;
  operator: true;
  hold: Hold;
  operation: Operation;
};

/** Committed state as the peer shows it, with what this transaction has written so far on top: the peer itself shows a transaction nothing of its own. */
export class Books {
  readonly #committed: (key: string) => Promise<string | undefined>;
  readonly #written = new Map<string, string>();
  #pending = new Map<string, string>();

  constructor(committed: (key: string) => Promise<string | undefined>) {
    this.#committed = committed;
  }

  async get<K extends keyof Records>(kind: K, id: string): Promise<Records[K] | undefined> {
    const key = `${kind}/${id}`;
    const text = this.#pending.get(key) ?? this.#written.get(key) ?? (await this.#committed(key));
    return text === undefined || text === GONE ? undefined : JSON.parse(text);
  }

  put<K extends keyof Records>(kind: K, id: string, record: Records[K]): void {
    this.#pending.set(`${kind}/${id}`, JSON.stringify(record));
  }

  remove(kind: 'executor' | 'operator', id: string): void {
    this.#pending.set(`${kind}/${id}`, GONE);
  }

  /** Ends one request: what it wrote counts, or never happened. */
  close(isKept: boolean): void {
    if (isKept) for (const [key, value] of this.#pending) this.#written.set(key, value);
    this.#pending = new Map();
  }

  get writes(): ReadonlyMap<string, string> {
    return this.#written;
  }
}

const GONE = 'null';
