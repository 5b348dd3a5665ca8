import { bytesField, numberField, readBytesFields } from './protobuf.ts';
import type { ShimStub } from './shim-stub.ts';

/** A write of a transaction: the value, or undefined for a deletion. */
export type StateWrites = ReadonlyMap<string, string | undefined>;

/** The committed state as a peer shows it to one transaction, and the place for what the transaction writes. */
export type PeerState = {
  /** The values of keys, in their order; undefined where there is none. */
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>;
  write(writes: StateWrites): Promise<void>;
  /** Entries with `from` ≤ key < `to` in ascending order of the keys' UTF-8 bytes, at most `limit`. */
  range(from: string, to: string, limit: number): Promise<(readonly [string, string])[]>;
};

/**
 * The state through the stub's connection. Every round trip to the peer costs more than running the contract again, so keys are read and
 * written many at a time, with two messages that peers know from Fabric 3.1 on and `fabric-shim` 2.5.8 does not.
 */
export function peerState(stub: ShimStub): PeerState {
  const ask = connectionOf(stub);
  return {
    async getMany(keys) {
      const values: (string | undefined)[] = [];
      for (const some of chunks(keys)) {
        const message = Buffer.concat(some.map((key) => bytesField(FIELD.keys, key)));
        const found = readBytesFields(await ask(MESSAGE.getStateMultiple, message), FIELD.values);
        if (found.length !== some.length)
          throw new Error(`the peer gave ${found.length} values for ${some.length} keys`);
        values.push(...found.map((bytes) => (bytes.length === 0 ? undefined : Buffer.from(bytes).toString('utf8'))));
      }
      return values;
    },
    async write(writes) {
      for (const some of chunks([...writes])) {
        const records = some.map(([key, value]) => bytesField(FIELD.records, writeRecord(key, value)));
        await ask(MESSAGE.writeBatchState, Buffer.concat(records));
      }
    },
    async range(from, to, limit) {
      const entries: (readonly [string, string])[] = [];
      const iterator = await stub.getStateByRange(from, to);
      try {
        while (entries.length < limit) {
          const { done, value } = await iterator.next();
          if (done) break;
          entries.push([value.key, Buffer.from(value.value).toString('utf8')]);
        }
      } finally {
        await iterator.close();
      }
      return entries;
    },
  };
}

/** Types of ChaincodeMessage, and field numbers, of the project's `chaincode_shim.proto`. */
const MESSAGE = { putState: 9, deleteState: 10, writeBatchState: 24, getStateMultiple: 25 } as const;
const FIELD = { keys: 1, values: 1, records: 1, key: 1, value: 2, type: 5 } as const;
/** What a peer takes in one message unless its `chaincode.runtimeParams` say otherwise. */
const MAXIMUM_IN_MESSAGE = 1000;

function writeRecord(key: string, value: string | undefined): Uint8Array {
  const type = numberField(FIELD.type, value === undefined ? MESSAGE.deleteState : MESSAGE.putState);
  const content = value === undefined ? [] : [bytesField(FIELD.value, value)];
  return Buffer.concat([bytesField(FIELD.key, key), ...content, type]);
}

/** The shim's own name for sending one message and waiting for its answer. */
const ASK = '_askPeerAndListen';

type Ask = (type: number, payload: Uint8Array) => Promise<Uint8Array>;

/** The part of the shim's own connection that sends one message and gives the answer to it. */
type Connection = {
  handleGetState(collection: string, key: string, channel: string, transaction: string): Promise<Uint8Array>;
  [ASK](message: Message, method: string): Promise<Uint8Array>;
};

type Message = { setType(type: number): void; setPayload(payload: Uint8Array): void };

function connectionOf(stub: ShimStub): Ask {
  const { handler } = stub;
  if (!isConnection(handler)) throw new Error('this fabric-shim has another connection to the peer than version 2.5.8');
  return async (type, payload) => {
    const message = await newMessage(handler, stub);
    message.setType(type);
    message.setPayload(payload);
    return handler[ASK](message, 'GetState');
  };
}

function isConnection(handler: unknown): handler is Connection {
  return typeof handler === 'object' && handler !== null && 'handleGetState' in handler && ASK in handler;
}

/** A message of the shim's own class, which its serializer insists on: what the shim itself would have sent to read a key. */
function newMessage(handler: Connection, stub: ShimStub): Promise<Message> {
  return new Promise((resolve, reject) => {
    const listener: Connection = Object.create(handler, {
      [ASK]: {
        value: async (message: Message) => {
          resolve(message);
          return new Uint8Array();
        },
      },
    });
    listener.handleGetState('', 'key', stub.getChannelID(), stub.getTxID()).catch(reject);
  });
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += MAXIMUM_IN_MESSAGE) yield items.slice(i, i + MAXIMUM_IN_MESSAGE);
}
