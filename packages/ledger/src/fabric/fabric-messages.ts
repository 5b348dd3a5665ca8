import { deflateSync, inflateSync } from 'node:zlib';
import type { JsonObject, Result, SettlementEvent, SignedCall } from '@linkspan/protocol';
import { allBytes, bytesAt, bytesField, numberAt } from './protobuf.ts';

/** A SignedCommitStatusRequest without a signature: the question what became of a transaction. */
export function commitStatusRequest(
  channel: string,
  transaction: string,
  identity: { readonly mspId: string; readonly credentials: Uint8Array },
): Uint8Array {
  const creator = Buffer.concat([bytesField(1, Buffer.from(identity.mspId)), bytesField(2, identity.credentials)]);
  const members = [Buffer.from(transaction), Buffer.from(channel), creator];
  return bytesField(1, Buffer.concat(members.map((member, i) => bytesField(i + 1, member))));
}

/** The number of blocks in a BlockchainInfo. */
export function heightOfChainInfo(message: Uint8Array): bigint {
  return numberAt(message, 1);
}

/** A transaction of our chaincode that changed something. `place` counts these in their block, from 0. */
export type ChaincodeTransaction = {
  readonly place: number;
  /** In UTC milliseconds. */
  readonly time: number;
  readonly calls: readonly SignedCall[];
  readonly results: readonly Result<JsonObject>[];
};

/** What a valid block holds of a chaincode: the transactions that the peer found valid and that carry an event, as the peer's stream of events counts them. */
export function transactionsOfBlock(
  block: Uint8Array,
  chaincode: string,
): { readonly number: bigint; readonly transactions: readonly ChaincodeTransaction[] } {
  const number = numberAt(bytesAt(block, 1), 1);
  const codes = allBytes(bytesAt(block, 3), 1)[VALIDATION_CODES];
  const transactions: ChaincodeTransaction[] = [];
  for (const [i, envelope] of allBytes(bytesAt(block, 2), 1).entries()) {
    const payload = bytesAt(envelope, 1);
    const isOurs = codes?.[i] === VALID && numberAt(bytesAt(payload, 1, 1), 1) === ENDORSER_TRANSACTION;
    const transaction = isOurs ? readTransaction(bytesAt(payload, 2, 1, 2), chaincode) : undefined;
    if (transaction) transactions.push({ place: transactions.length, ...transaction });
  }
  return { number, transactions };
}

/** The event that our chaincode sets for a transaction. */
export function parseEventPayload(payload: Uint8Array): {
  readonly time: number;
  readonly events: readonly SettlementEvent[];
} {
  return JSON.parse(Buffer.from(payload).toString('utf8'));
}

/** What our chaincode answers to `submit`. */
export function parseSubmitAnswer(payload: Uint8Array): {
  readonly changed: boolean;
  readonly results: readonly Result<JsonObject>[];
} {
  return JSON.parse(Buffer.from(payload).toString('utf8'));
}

/** What our chaincode answers to one question of a `query`: the text of the contract's own answer, or what broke over it. */
export type QueryAnswer = { readonly text: string } | { readonly broken: string };

export function parseQueryAnswers(payload: Uint8Array): readonly QueryAnswer[] {
  return JSON.parse(Buffer.from(payload).toString('utf8'));
}

const VALIDATION_CODES = 2;
const VALID = 0;
const ENDORSER_TRANSACTION = 3n;

/** From a ChaincodeActionPayload: what was proposed, and what the endorsing organisations answered and signed. */
function readTransaction(action: Uint8Array, chaincode: string): Omit<ChaincodeTransaction, 'place'> | undefined {
  const answer = bytesAt(action, 2, 1, 2);
  const event = bytesAt(answer, 2);
  if (event.length === 0 || Buffer.from(bytesAt(event, 1)).toString() !== chaincode) return undefined;
  const [, calls = new Uint8Array()] = allBytes(bytesAt(action, 1, 1, 1, 3), 1);
  const { results } = parseSubmitAnswer(bytesAt(answer, 3, 3));
  return { time: parseEventPayload(bytesAt(event, 4)).time, calls: parseCalls(calls), results };
}

/** The calls that our chaincode is given for `submit`: their JSON in zlib's format (RFC 1950), a third of the text, since every block carries it. */
export function writeCalls(calls: readonly SignedCall[]): Uint8Array {
  return deflateSync(JSON.stringify(calls), { level: 3 });
}

/** Throws a SyntaxError on what is no JSON, packed or as it is. */
export function parseCalls(argument: Uint8Array): readonly SignedCall[] {
  return JSON.parse(Buffer.from(unpacked(argument)).toString('utf8'));
}

function unpacked(argument: Uint8Array): Uint8Array {
  if (argument[0] !== ZLIB_HEADER) return argument;
  try {
    return inflateSync(argument, { maxOutputLength: MAXIMUM_CALLS_BYTES });
  } catch (cause) {
    throw new SyntaxError('The calls of a transaction cannot be unpacked.', { cause });
  }
}

const ZLIB_HEADER = 0x78;
/** Far more than the two hundred calls of a transaction have. */
const MAXIMUM_CALLS_BYTES = 64 * 2 ** 20;
