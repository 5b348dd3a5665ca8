/** As much of the protocol buffers encoding as is needed for what Fabric's client library neither makes nor reads for us. */

/** A message's fields by number: numbers, and the bytes of texts and embedded messages, in their order. */
export type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

export function bytesField(number: number, content: Uint8Array): Uint8Array {
  const head = [number * 8 + LENGTH_DELIMITED];
  let rest = content.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  return Buffer.concat([Uint8Array.from([...head, rest]), content]);
}

/** Throws a RangeError on bytes that are no message. */
export function readFields(message: Uint8Array): Fields {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('the message breaks off');
      value += BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new RangeError('the message has a number beyond 64 bits');
  };
  while (at < message.length) {
    const tag = Number(varint());
    const type = tag % 8;
    const number = Math.floor(tag / 8);
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === VARINT) {
      values.push(varint());
      continue;
    }
    const length = type === LENGTH_DELIMITED ? Number(varint()) : FIXED_LENGTHS[type];
    if (length === undefined || at + length > message.length) throw new RangeError('the message breaks off');
    values.push(message.subarray(at, at + length));
    at += length;
  }
  return fields;
}

/** The bytes at the end of a path of field numbers, the first field of each; empty where there are none. */
export function bytesAt(message: Uint8Array, ...path: readonly number[]): Uint8Array {
  let bytes = message;
  for (const number of path) {
    const value = readFields(bytes).get(number)?.[0];
    bytes = value instanceof Uint8Array ? value : NOTHING;
  }
  return bytes;
}

/** Every value of a field that holds bytes. */
export function allBytes(message: Uint8Array, number: number): Uint8Array[] {
  return (readFields(message).get(number) ?? []).filter((value) => value instanceof Uint8Array);
}

/** A number; 0 where it is left out, as the encoding has it. */
export function numberAt(message: Uint8Array, number: number): bigint {
  const value = readFields(message).get(number)?.[0];
  return typeof value === 'bigint' ? value : 0n;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** Of the types with eight and four bytes. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const NOTHING = new Uint8Array();
