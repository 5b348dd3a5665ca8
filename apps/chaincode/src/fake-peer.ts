import assert from 'node:assert/strict';
import type { LinkspanChaincode } from './linkspan-chaincode.ts';
import type { ShimStub } from './shim-stub.ts';

/** What a peer's simulation of one transaction gave. */
export type Simulation = {
  readonly status: number;
  readonly message: string;
  readonly payload: string;
  /** Each key that was read, with the version at which it was. */
  readonly reads: ReadonlyMap<string, number>;
  readonly writes: ReadonlyMap<string, string | undefined>;
  readonly event: { readonly name: string; readonly payload: string } | undefined;
  /** Questions to the peer, by the number of their message; a range is a question of its own. */
  readonly questions: readonly string[];
};

/**
 * A peer for tests of chaincode, as strict as a real one: reads show committed state only, one message asks for or writes many keys, one event
 * per transaction (the last), and a transaction whose reads have changed since is not committed. Bytes are decoded here a second time, from
 * the project's `chaincode_shim.proto`.
 */
export class FakePeer {
  readonly state = new Map<string, string>();
  readonly events: string[] = [];
  readonly #versions = new Map<string, number>();
  #height = 0;

  async simulate(
    chaincode: LinkspanChaincode,
    args: readonly (string | Buffer)[],
    time: number,
    id = 'tx',
  ): Promise<Simulation> {
    const reads = new Map<string, number>();
    const writes = new Map<string, string | undefined>();
    const questions: string[] = [];
    let event: Simulation['event'];
    const answer = (message: FakeMessage): Uint8Array => {
      questions.push(String(message.type));
      assert.equal(message.transaction, id);
      if (message.type === 25) {
        const keys = fields(message.payload).map(({ content }) => content.toString());
        assert.ok(keys.length <= 1000, 'a peer takes a thousand keys at once');
        for (const key of keys) reads.set(key, this.#versions.get(key) ?? 0);
        return Buffer.concat(keys.map((key) => field(1, Buffer.from(this.state.get(key) ?? ''))));
      }
      assert.equal(message.type, 24);
      for (const record of fields(message.payload)) {
        const parts = new Map(fields(record.content).map(({ number, content, value }) => [number, { content, value }]));
        const type = parts.get(5)?.value;
        assert.ok(type === 9 || type === 10, 'unknown operation type');
        writes.set(String(parts.get(1)?.content), type === 9 ? String(parts.get(2)?.content) : undefined);
      }
      return new Uint8Array();
    };
    const handler = {
      [ASK]: async (message: FakeMessage) => answer(message),
      async handleGetState(_collection: string, _key: string, _channel: string, transaction: string) {
        return this[ASK](new FakeMessage(transaction));
      },
    };
    const stub: ShimStub = {
      getBufferArgs: () => args.map((arg) => Buffer.from(arg)),
      getChannelID: () => 'channel',
      getTxID: () => id,
      getDateTimestamp: () => new Date(time),
      getStateByRange: async (from, to) => {
        questions.push('range');
        const keys = [...this.state.keys()]
          .filter((key) => compare(from, key) <= 0 && compare(key, to) < 0)
          .toSorted(compare);
        const entries = keys.map((key) => ({ key, value: Buffer.from(this.state.get(key) ?? '') })).values();
        return {
          next: async () => {
            const { done, value } = entries.next();
            return { done: done ?? false, value: value ?? { key: '', value: new Uint8Array() } };
          },
          close: async () => undefined,
        };
      },
      setEvent: (name, payload) => (event = { name, payload: Buffer.from(payload).toString() }),
      handler,
    };
    const { status, message, payload } = await chaincode.Invoke(stub);
    return {
      status,
      message: message ?? '',
      payload: Buffer.from(payload ?? '').toString(),
      reads,
      writes,
      event,
      questions,
    };
  }

  /** Commits what was simulated; false where a read has changed since. */
  commit({ reads, writes, event }: Simulation): boolean {
    for (const [key, version] of reads) if ((this.#versions.get(key) ?? 0) !== version) return false;
    this.#height += 1;
    for (const [key, value] of writes) {
      this.#versions.set(key, this.#height);
      if (value === undefined) this.state.delete(key);
      else this.state.set(key, value);
    }
    if (event) this.events.push(event.payload);
    return true;
  }
}

/** The shim's own name for sending one message. */
const ASK = '_askPeerAndListen';

class FakeMessage {
  readonly transaction: string;
  type = 8;
  payload: Uint8Array = new Uint8Array();

  constructor(transaction: string) {
    this.transaction = transaction;
  }

  setType(type: number): void {
    this.type = type;
  }

  setPayload(payload: Uint8Array): void {
    this.payload = payload;
  }
}

type Field = { readonly number: number; readonly content: Buffer; readonly value: number };

function fields(message: Uint8Array): Field[] {
  const found: Field[] = [];
  const bytes = [...message];
  const varint = (): number => {
    let [value, shift] = [0, 0];
    for (let byte = 128; byte >= 128; shift += 7) {
      byte = bytes.shift() ?? assert.fail('the message breaks off');
      value += (byte & 127) * 2 ** shift;
    }
    return value;
  };
  while (bytes.length > 0) {
    const tag = varint();
    const value = varint();
    const content = tag % 8 === 2 ? Buffer.from(bytes.splice(0, value)) : Buffer.alloc(0);
    found.push({ number: Math.floor(tag / 8), content, value });
  }
  return found;
}

function field(number: number, content: Buffer): Buffer {
  const head = [number * 8 + 2];
  let rest = content.length;
  for (; rest > 127; rest >>= 7) head.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...head, rest]), content]);
}

/** Keys are in the order of their UTF-8 bytes. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
