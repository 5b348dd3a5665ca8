import { generateSecp256k1PrivateKey, secp256k1Signer } from '@linkspan/keys';
import { bytesToHex, Fault, hexToBytes, keccak256, utf8ToBytes } from '@linkspan/protocol';
import { request } from 'undici';
import { isObject } from '../failure.ts';

/** What a chain is asked: `eth_call` of a method without arguments that answers a number. Throws a Fault `system-unavailable`. */
export async function readNumber(url: string, contract: string, method: string): Promise<number> {
  const answer = await rpc(url, 'eth_call', [{ to: contract, data: `0x${selector(method)}` }, 'latest']);
  return Number(answer);
}

/**
 * Sends a transaction as somebody whom the chain has never seen, for what anybody may bring and a chain that asks for no fee. Resolves when it is in a
 * block; throws a Fault `system-unavailable` where it is not, or was reverted.
 */
export async function sendAsStranger(url: string, contract: string, data: string): Promise<void> {
  const chainId = Number(await rpc(url, 'eth_chainId', []));
  const hash = await rpc(url, 'eth_sendRawTransaction', [signedTransaction(chainId, contract, data)]);
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MS;) {
    const receipt = await rpc(url, 'eth_getTransactionReceipt', [hash]);
    if (isObject(receipt)) {
      if (receipt['status'] === '0x1') return;
      throw new Fault('system-unavailable', `The chain at ${url} reverted the transaction ${String(hash)}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Fault(
    'system-unavailable',
    `The chain at ${url} has not taken the transaction ${String(hash)} into a block.`,
  );
}

/** The arguments of `installEpoch(uint64,uint64,address[],bytes[])` as the contract ABI of Solidity has them; signatures have 65 bytes. */
export function installEpochData(epoch: number, quorum: number, signers: readonly string[], seals: readonly string[]) {
  const [head, addresses] = [4 * WORD, (1 + signers.length) * WORD];
  const offsets = seals.map((_, i) => word(seals.length * WORD + i * 4 * WORD));
  const contents = seals.flatMap((seal) => [word(SIGNATURE), seal.slice(2).padEnd(3 * WORD * 2, '0')]);
  return [
    `0x${selector('installEpoch(uint64,uint64,address[],bytes[])')}`,
    ...[epoch, quorum, head, head + addresses].map(word),
    word(signers.length),
    ...signers.map((signer) => signer.slice(2).padStart(2 * WORD, '0')),
    word(seals.length),
    ...offsets,
    ...contents,
  ].join('');
}

const WORD = 32;
const SIGNATURE = 65;
const GAS = 1_000_000;
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** A transaction of a new key, its first one (EIP-155), without value and fee. */
export function signedTransaction(chainId: number, to: string, data: string): string {
  const fields = ['', '', numberHex(GAS), to.slice(2), '', data.slice(2)];
  const unsigned = rlp([...fields, numberHex(chainId), '', '']);
  const signature = secp256k1Signer(generateSecp256k1PrivateKey()).sign(keccak256(hexToBytes(unsigned)));
  const [r, s, v] = [signature.slice(0, 64), signature.slice(64, 128), Number(`0x${signature.slice(128)}`)];
  return `0x${rlp([...fields, numberHex(chainId * 2 + 35 + v - 27), ...[r, s].map((part) => part.replace(/^(?:00)+/, ''))])}`;
}

/** A list of byte strings in RLP (Ethereum's yellow paper, appendix B); all in hexadecimal. */
function rlp(items: readonly string[]): string {
  const encoded = items.map((item) => (/^[0-7][0-9a-f]$/.test(item) ? item : rlpHead(0x80, item) + item)).join('');
  return rlpHead(0xc0, encoded) + encoded;
}

function rlpHead(base: number, content: string): string {
  const length = content.length / 2;
  if (length < 56) return numberHex(base + length);
  const size = numberHex(length);
  return numberHex(base + 55 + size.length / 2) + size;
}

function numberHex(value: number): string {
  const digits = value.toString(16);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

function word(value: number): string {
  return value.toString(16).padStart(2 * WORD, '0');
}

function selector(signature: string): string {
  return bytesToHex(keccak256(utf8ToBytes(signature))).slice(0, 8);
}

async function rpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const asked = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  try {
    const { body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: asked,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const reply = await body.json();
    if (isObject(reply) && 'result' in reply) return reply['result'];
    throw new Error(JSON.stringify(reply).slice(0, 200));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('system-unavailable', `The chain at ${url} did not answer ${method}: ${why}`, { cause });
  }
}
