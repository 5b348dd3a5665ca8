/** As much of Fabric's protocol buffers as the gateway's client library neither makes nor reads for us. */

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

/** The number of blocks in a BlockchainInfo, its first field. */
export function heightOfChainInfo(message: Uint8Array): number {
  if (message[0] !== FIRST_NUMBER) throw new RangeError('the peer tells no height');
  let height = 0;
  let factor = 1;
  for (const byte of message.subarray(1)) {
    height += (byte & 127) * factor;
    if (byte < 128) return height;
    factor *= 128;
  }
  throw new RangeError('the height breaks off');
}

const FIRST_NUMBER = 8;
const LENGTH_DELIMITED = 2;

function bytesField(number: number, content: Uint8Array): Uint8Array {
  const head = [number * 8 + LENGTH_DELIMITED];
  let rest = content.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  return Buffer.concat([Uint8Array.from([...head, rest]), content]);
}
