/** As much of the protocol buffers encoding as the messages need that `fabric-shim` does not know: length-delimited fields and small numbers. */

/** A field of text, bytes or an embedded message. */
export function bytesField(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

export function numberField(number: number, value: number): Uint8Array {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** The contents of a message's length-delimited fields of one number, in order; other fields are passed over. Throws a RangeError on what is no message. */
export function readBytesFields(message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++];
      if (byte === undefined || shift > 2 ** 42) throw new RangeError('the message breaks off');
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = readVarint();
    const size = readVarint();
    const type = tag % 8;
    if (type === VARINT) continue;
    if (type !== LENGTH_DELIMITED || at + size > message.length) throw new RangeError('the message breaks off');
    if (tag === number * 8 + LENGTH_DELIMITED) found.push(message.subarray(at, at + size));
    at += size;
  }
  return found;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}
