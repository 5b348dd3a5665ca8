import { createHash } from 'node:crypto';
import type { JsonObject, Result, SignedCall } from '@linkspan/protocol';
import type { Claim } from './channel-rules.ts';
import { textOf } from './channel-members.ts';
import { parseCalls, parseEventPayload, parseSubmitAnswer } from './fabric-messages.ts';
import { allBytes, numberAt, readFields } from './protobuf.ts';

/** A transaction of a chaincode as those signed it who proposed and endorsed it. */
export type EndorsedTransaction = {
  readonly id: string;
  readonly channel: string;
  readonly creator: Claim;
  readonly endorsements: readonly Claim[];
  /** That the endorsers answered this very proposal, and that the id is the one that follows from it. */
  readonly isWhole: boolean;
  /** TxReadWriteSet. */
  readonly readsAndWrites: Uint8Array;
  /** In UTC milliseconds, as endorsed. */
  readonly time: number;
  readonly calls: readonly SignedCall[];
  readonly results: readonly Result<JsonObject>[];
};

/**
 * Reads an envelope with a transaction that carries an event of a chaincode; undefined for any other. Throws a RangeError where a field that is there
 * once is there twice: another reader may take the other one. Throws a SyntaxError where something of ours is no JSON.
 */
export function readEndorsedTransaction(envelope: Uint8Array, chaincode: string): EndorsedTransaction | undefined {
  const payload = only(envelope, 1);
  const [channelHeader, signatureHeader] = [only(payload, 1, 1), only(payload, 1, 2)];
  if (onlyNumber(channelHeader, 1) !== ENDORSER_TRANSACTION) return undefined;
  const action = only(payload, 2, 1);
  const [proposal, response] = [only(action, 2, 1), only(action, 2, 2, 1)];
  const answer = only(response, 2);
  const event = only(answer, 2);
  if (event.length === 0 || textOf(only(event, 1)) !== chaincode) return undefined;
  const invoked = only(proposal, 1, 1);
  const args = allBytes(only(invoked, 3), 1);
  const creator = only(signatureHeader, 1);
  const id = textOf(only(channelHeader, 5));
  const names = [only(invoked, 2, 2), only(answer, 4, 2)].map(textOf);
  return {
    id,
    channel: textOf(only(channelHeader, 4)),
    creator: { identity: creator, data: payload, signature: only(envelope, 2) },
    endorsements: allBytes(only(action, 2, 2), 2).map((endorsement): Claim => {
      const identity = only(endorsement, 1);
      return { identity, data: Buffer.concat([response, identity]), signature: only(endorsement, 2) };
    }),
    isWhole:
      sha256(channelHeader, signatureHeader, proposal).equals(only(response, 1)) &&
      sha256(only(signatureHeader, 2), creator).toString('hex') === id &&
      Buffer.from(only(action, 1)).equals(signatureHeader) &&
      names.every((name) => name === chaincode) &&
      textOf(args[0] ?? new Uint8Array()) === 'submit' &&
      args.length === 2 &&
      onlyNumber(only(answer, 3), 1) === OK,
    readsAndWrites: only(answer, 1),
    time: parseEventPayload(only(event, 4)).time,
    calls: listOf(parseCalls(args[1] ?? new Uint8Array()), isThing),
    results: listOf(parseSubmitAnswer(only(answer, 3, 3)).results, isResult),
  };
}

const ENDORSER_TRANSACTION = 3n;
const OK = 200n;

/** Who endorses decides what is in an answer, so that nothing is taken for granted here. */
function listOf<T>(list: readonly T[], isOne: (each: unknown) => boolean): readonly T[] {
  if (!Array.isArray(list) || !list.every(isOne)) throw new RangeError('a transaction has no list of calls or results');
  return list;
}

function isThing(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isResult(value: unknown): boolean {
  return isThing(value) && 'ok' in value && (value.ok !== true || ('value' in value && isThing(value.value)));
}

/** Like `bytesAt`, but each field of the path must be there once at most. */
function only(message: Uint8Array, ...path: readonly number[]): Uint8Array {
  let bytes = message;
  for (const number of path) {
    const [value = new Uint8Array(), ...more] = readFields(bytes).get(number) ?? [];
    if (more.length > 0 || typeof value === 'bigint') throw new RangeError(`field ${number} is there more than once`);
    bytes = value;
  }
  return bytes;
}

function onlyNumber(message: Uint8Array, number: number): bigint {
  if ((readFields(message).get(number)?.length ?? 0) > 1)
    throw new RangeError(`field ${number} is there more than once`);
  return numberAt(message, number);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
