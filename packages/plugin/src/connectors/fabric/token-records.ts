import { Fault } from '@linkspan/protocol';
import { isObject, type Untrusted } from '../../document-reader.ts';

/** What the chaincode keeps about an id. */
export type OperationRecord =
  | { readonly status: 'effective'; readonly kind: string; readonly hold: string; readonly transaction: string }
  | { readonly status: 'fenced'; readonly reason: string; readonly transaction: string };

export type HoldRecord = {
  readonly status: 'held' | 'executed' | 'released';
  readonly settlement: string;
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
  readonly closedBy: string;
};

export type Records = { readonly operation: OperationRecord | undefined; readonly hold: HoldRecord | undefined };

/** The answer to one request of a transaction. */
export type RequestAnswer =
  | { readonly ok: true; readonly done: 'now' | 'before' }
  | { readonly ok: false; readonly code: string; readonly reason: string; readonly message: string };

export type Row = { readonly account: string; readonly balance: bigint; readonly held: bigint };

/** A change as an event tells it, as far as it is about operations and holds. */
export type Change =
  | { readonly type: 'fenced'; readonly operation: string; readonly reason: string }
  | {
      readonly type: 'held' | 'executed' | 'released';
      readonly operation: string | undefined;
      readonly hold: string | undefined;
      readonly settlement: string;
      readonly from: string;
      readonly to: string;
      readonly amount: bigint;
    };

/** Reads what the chaincode says. What does not fit is a Fault `system-unavailable`: such a system does not speak as configured. */
export function tokenReader(system: string) {
  const strange = (): Fault => new Fault('system-unavailable', `${system} answers what this connector does not know.`);
  const json = (bytes: Uint8Array): unknown => {
    try {
      return JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      throw strange();
    }
  };
  const list = (value: unknown): readonly unknown[] => {
    if (!Array.isArray(value)) throw strange();
    return value;
  };
  const object = (value: unknown): Untrusted => {
    if (!isObject(value)) throw strange();
    return value;
  };
  const text = (from: Untrusted, name: string): string => {
    const value = from[name];
    if (typeof value !== 'string') throw strange();
    return value;
  };
  const id = (from: Untrusted, name: string): string => {
    const value = text(from, name);
    if (!/^0x[0-9a-f]{64}$/.test(value)) throw strange();
    return value;
  };
  const amount = (from: Untrusted, name: string): bigint => {
    const value = text(from, name);
    if (!/^[0-9]{1,60}$/.test(value)) throw strange();
    return BigInt(value);
  };
  const reason = (from: Untrusted): string => {
    const value = text(from, 'reason');
    if (!/^[A-Z0-9]{4}$/.test(value)) throw strange();
    return value;
  };
  const moved = (from: Untrusted) => ({
    settlement: id(from, 'settlement'),
    from: text(from, 'from'),
    to: text(from, 'to'),
    amount: amount(from, 'amount'),
  });

  function operation(value: unknown): OperationRecord | undefined {
    if (value === undefined) return undefined;
    const record = object(value);
    const transaction = text(record, 'transaction');
    if (record['status'] === 'fenced') return { status: 'fenced', reason: reason(record), transaction };
    if (record['status'] !== 'effective') throw strange();
    return { status: 'effective', kind: text(record, 'kind'), hold: id(record, 'hold'), transaction };
  }
  function hold(value: unknown): HoldRecord | undefined {
    if (value === undefined) return undefined;
    const record = object(value);
    const status = (['held', 'executed', 'released'] as const).find((one) => one === record['status']);
    if (status === undefined) throw strange();
    return { status, ...moved(record), closedBy: status === 'held' ? '' : text(record, 'closedBy') };
  }
  function change(value: unknown): Change | undefined {
    const record = object(value);
    const type = (['held', 'executed', 'released', 'fenced'] as const).find((one) => one === record['type']);
    if (type === undefined) return undefined;
    if (type === 'fenced') return { type, operation: id(record, 'operation'), reason: reason(record) };
    const by = record['operation'] === undefined ? undefined : id(record, 'operation');
    const closed = record['hold'] === undefined ? undefined : id(record, 'hold');
    return { type, operation: by, hold: closed, ...moved(record) };
  }

  return {
    answers: (bytes: Uint8Array): RequestAnswer[] =>
      list(json(bytes)).map((value) => {
        const answer = object(value);
        if (answer['ok'] !== true)
          return { ok: false, code: text(answer, 'code'), reason: reason(answer), message: text(answer, 'message') };
        return { ok: true, done: object(answer['value'])['done'] === 'now' ? 'now' : 'before' };
      }),
    records(bytes: Uint8Array): Records {
      const answer = object(json(bytes));
      return { operation: operation(answer['operation']), hold: hold(answer['hold']) };
    },
    rows: (bytes: Uint8Array): Row[] =>
      list(json(bytes)).map((value) => {
        const row = object(value);
        return { account: text(row, 'account'), balance: amount(row, 'balance'), held: amount(row, 'held') };
      }),
    /** What an event tells; undefined in the place of changes that concern no operation, so that places stay what they are. */
    changes: (bytes: Uint8Array): (Change | undefined)[] => list(json(bytes)).map(change),
  };
}

export type TokenReader = ReturnType<typeof tokenReader>;
