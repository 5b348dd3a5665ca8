import { inflateSync } from 'node:zlib';
import type { QueryType, Reader } from '@linkspan/contract';
import type { ContractCode } from '@linkspan/ledger';
import { canonicalJson, type SignedCall, type Verify } from '@linkspan/protocol';
import shim from 'fabric-shim';
import { peerState } from './peer-state.ts';
import { type CallsToRun, runCalls } from './run-calls.ts';
import { runOverState } from './run-query.ts';
import type { ShimStub } from './shim-stub.ts';

export type ChaincodeOptions = {
  readonly contract: ContractCode;
  readonly verify: Verify;
  /** This organisation's clock, in UTC milliseconds. */
  readonly now: () => number;
  /** How far a proposal's time may lie from this organisation's clock: δ of the settlement protocol. */
  readonly toleranceMs: number;
  /** What code this is, as anybody who asks is told. */
  readonly version: string;
};

/** The name of the one event that a transaction with writes carries. Its payload is `{ time, events }`. */
export const EVENT_NAME = 'linkspan';

type Response = ReturnType<typeof shim.success> | ReturnType<typeof shim.error>;

/**
 * The contract as chaincode. Functions, each with JSON as its second argument:
 *
 * - `submit` with a list of signed calls, which may be in zlib's format (RFC 1950), answers `{ changed, results }`; where anything changed the transaction carries one event.
 * - `query` with a list of `{ type, args }` answers a list of `{ text }`, each the JSON of the contract's own result, or `{ broken }` with what broke over the
 *   question. It reads ranges and is for evaluating only.
 * - `version` answers what code this organisation runs; the channel's definition names the one that all agreed on.
 *
 * Everything that the organisations must agree on follows from the proposal and the state. A clock is looked at once, to refuse a proposal whose
 * time is not the present; that refusal and every other is an error whose message is `CODE|sentence`.
 */
export class LinkspanChaincode {
  readonly #options: ChaincodeOptions;

  constructor(options: ChaincodeOptions) {
    this.#options = options;
  }

  async Init(_stub: ShimStub): Promise<Response> {
    return shim.success();
  }

  async Invoke(stub: ShimStub): Promise<Response> {
    const [first, argument = new Uint8Array()] = stub.getBufferArgs?.() ?? [];
    const name = Buffer.from(first ?? []).toString('utf8');
    try {
      if (name === 'submit') return await this.#submit(stub, argument);
      if (name === 'query') return await this.#query(stub, argument);
      if (name === 'version') return shim.success(Buffer.from(this.#options.version));
      return refuse('request-invalid', 'There are the functions submit, query and version.');
    } catch (error) {
      // An answer that is no answer would leave the peer waiting until its own deadline.
      return refuse('internal', error instanceof Error ? error.message : 'unknown');
    }
  }

  async #submit(stub: ShimStub, argument: Uint8Array): Promise<Response> {
    const { contract, verify, now, toleranceMs } = this.#options;
    const time = timeOf(stub);
    const offMs = time - now();
    if (Math.abs(offMs) > toleranceMs) {
      return refuse(
        'clock',
        `The proposal's time is ${offMs} ms from this organisation's clock; ${toleranceMs} ms are allowed.`,
      );
    }
    const calls = parseCalls(argument);
    const state = peerState(stub);
    const tx = { id: stub.getTxID(), time };
    const getMany: CallsToRun['getMany'] = (keys) => state.getMany(keys);
    const { results, writes, events } = await runCalls({ contract, verify, tx, calls, getMany });
    if (writes.size > 0) {
      await state.write(writes);
      stub.setEvent(EVENT_NAME, Buffer.from(canonicalJson({ time, events })));
    }
    return shim.success(Buffer.from(canonicalJson({ changed: writes.size > 0, results })));
  }

  async #query(stub: ShimStub, argument: Uint8Array): Promise<Response> {
    const { contract } = this.#options;
    const questions = parseQueries(argument).map((query) => (reader: Reader) => {
      const { type, args } = parseQuery(query);
      return contract.runQuery(reader, type, args);
    });
    const answers = await runOverState(peerState(stub), timeOf(stub), questions);
    const texts = answers.map((answered) =>
      'answer' in answered ? { text: JSON.stringify(answered.answer) } : { broken: String(answered.error) },
    );
    return shim.success(Buffer.from(JSON.stringify(texts)));
  }
}

function timeOf(stub: ShimStub): number {
  return Math.floor(stub.getDateTimestamp().getTime());
}

function refuse(code: string, message: string): Response {
  return shim.error(`${code}|${message}`);
}

/** The contract checks the form of every call by itself, so that one that has it not is refused alone. */
function parseCalls(argument: Uint8Array): readonly SignedCall[] {
  const calls: unknown = JSON.parse(textOf(argument));
  if (!isListOfCalls(calls)) throw new TypeError('submit takes a list of calls');
  return calls;
}

/** An argument as text. What was packed by whoever proposed is the same text for every organisation that unpacks it. */
function textOf(argument: Uint8Array): string {
  const bytes = argument[0] === ZLIB_HEADER ? inflateSync(argument, { maxOutputLength: MAXIMUM_BYTES }) : argument;
  return Buffer.from(bytes).toString('utf8');
}

const ZLIB_HEADER = 0x78;
const MAXIMUM_BYTES = 64 * 2 ** 20;

function isListOfCalls(value: unknown): value is readonly SignedCall[] {
  return Array.isArray(value);
}

function parseQueries(argument: Uint8Array): readonly unknown[] {
  const queries: unknown = JSON.parse(textOf(argument));
  if (!Array.isArray(queries)) throw new TypeError('query takes a list of questions');
  return queries;
}

function parseQuery(query: unknown): { readonly type: QueryType; readonly args: never } {
  if (!isQuery(query)) throw new TypeError('a question has a type and arguments');
  return query;
}

/** Questions come from the organisation's own CoreAPI, which is typed; an unknown type fails as any other defect does. */
function isQuery(value: unknown): value is { readonly type: QueryType; readonly args: never } {
  return typeof value === 'object' && value !== null && 'type' in value && 'args' in value;
}
