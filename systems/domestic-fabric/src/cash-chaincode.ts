import shim from 'fabric-shim';
import { Books } from './books.ts';
import type { Account, Hold, Operation } from './books.ts';
import { apply } from './cash-token.ts';
import type { Call, Change, Done } from './cash-token.ts';
import { Fields } from './fields.ts';
import { identityOf } from './identity.ts';
import type { Result } from './refusal.ts';
import { readRequest } from './requests.ts';
import type { ShimStub } from './shim-stub.ts';

/** The name of the one event of a transaction that changed something. Its payload is the list of its changes. */
export const EVENT_NAME = 'cash';

type Response = ReturnType<typeof shim.success> | ReturnType<typeof shim.error>;

/**
 * The cash token as chaincode. Functions, each with JSON as its second argument:
 *
 * - `submit` with a list of requests, which are answered one by one: `[{ ok: true, value: { done } } | { ok: false, code, reason, message }]`. What is
 *   refused changes nothing; everything else of the list takes effect in this one transaction.
 * - `lookup` with `{ operation, hold }` answers `{ operation?, hold? }` as they are kept.
 * - `balances` with `{ accounts? }` answers `[{ account, balance, held }]`.
 */
export class CashChaincode {
  readonly #issuerMsp: string;

  constructor({ issuerMsp }: { readonly issuerMsp: string }) {
    this.#issuerMsp = issuerMsp;
  }

  async Init(_stub: ShimStub): Promise<Response> {
    return shim.success();
  }

  async Invoke(stub: ShimStub): Promise<Response> {
    const [name, argument = ''] = stub.getStringArgs();
    try {
      const content: unknown = JSON.parse(argument);
      if (name === 'submit') return answer(await this.#submit(stub, content));
      if (name === 'lookup') return answer(await lookup(stub, content));
      if (name === 'balances') return answer(await balances(stub, content));
      return shim.error('There are the functions submit, lookup and balances.');
    } catch (error) {
      // An answer that is no answer would leave the peer waiting until its own deadline.
      return shim.error(error instanceof Error ? error.message : 'unknown');
    }
  }

  async #submit(stub: ShimStub, requests: unknown): Promise<Result<Done>[]> {
    if (!Array.isArray(requests)) throw new TypeError('submit takes a list of requests');
    const books = new Books((key) => committed(stub, key));
    const changes: Change[] = [];
    const results: Result<Done>[] = [];
    for (const value of requests) {
      const told: Change[] = [];
      const caller = identityOf(stub.getCreator());
      const tell = (change: Change): void => void told.push(change);
      const call: Call = { books, caller, issuerMsp: this.#issuerMsp, transaction: stub.getTxID(), tell };
      const request = readRequest(value);
      const result = request.ok ? await apply(call, request.value) : request;
      books.close(result.ok);
      if (result.ok) changes.push(...told);
      results.push(result);
    }
    for (const [key, value] of books.writes) {
      if (value === 'null') await stub.deleteState(key);
      else await stub.putState(key, Buffer.from(value));
    }
    if (changes.length > 0) stub.setEvent(EVENT_NAME, Buffer.from(JSON.stringify(changes)));
    return results;
  }
}

async function lookup(stub: ShimStub, content: unknown): Promise<{ operation?: Operation; hold?: Hold }> {
  const fields = new Fields(content);
  const [operationId, holdId] = [fields.id('operation'), fields.id('hold')];
  if (fields.problems.length > 0) throw new TypeError(fields.problems.join('; '));
  const books = new Books((key) => committed(stub, key));
  const operation = await books.get('operation', operationId);
  const hold = await books.get('hold', holdId);
  return { ...(operation ? { operation } : {}), ...(hold ? { hold } : {}) };
}

type Position = { account: string; balance: string; held: string };

/** Reads a range where no accounts are named, so it is for asking and not for submitting. */
async function balances(stub: ShimStub, content: unknown): Promise<Position[]> {
  const fields = new Fields(content);
  if (!fields.has('accounts')) return everyPosition(stub);
  const accounts = fields.texts('accounts', 1000, /^./, 'the name of an account');
  if (fields.problems.length > 0) throw new TypeError(fields.problems.join('; '));
  const rows: Position[] = [];
  const books = new Books((key) => committed(stub, key));
  for (const account of accounts) {
    const found = await books.get('account', account);
    if (found) rows.push({ account, balance: found.balance, held: found.held });
  }
  return rows;
}

async function everyPosition(stub: ShimStub): Promise<Position[]> {
  const rows: Position[] = [];
  const iterator = await stub.getStateByRange('account/', 'account0');
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return rows;
      const { balance, held }: Account = JSON.parse(Buffer.from(value.value).toString('utf8'));
      rows.push({ account: value.key.slice('account/'.length), balance, held });
    }
  } finally {
    await iterator.close();
  }
}

async function committed(stub: ShimStub, key: string): Promise<string | undefined> {
  const bytes = await stub.getState(key);
  return bytes.length === 0 ? undefined : Buffer.from(bytes).toString('utf8');
}

function answer(content: unknown): Response {
  return shim.success(Buffer.from(JSON.stringify(content)));
}
