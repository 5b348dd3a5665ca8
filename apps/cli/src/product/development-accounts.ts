import { createECDH, createHmac, pbkdf2Sync } from 'node:crypto';
import { secp256k1Signer } from '@linkspan/keys';
import { addressOf, bytesToHex, hexToBytes, keccak256 } from '@linkspan/protocol';

/** The phrase that every development chain knows. It protects nothing and is refused by nobody: for local networks only. */
export const DEVELOPMENT_MNEMONIC = 'test test test test test test test test test test test junk';

/** Account 0 owns and issues the token; validators execute with the accounts after it; parties have those from 10 on. */
const FIRST_EXECUTOR = 1;
const KNOWN_ACCOUNTS = 30;

export type DevelopmentAccount = { readonly address: `0x${string}`; readonly privateKey: `0x${string}` };

export function developmentAccount(index: number): DevelopmentAccount {
  const known = accounts.get(index) ?? deriveAccount(index);
  accounts.set(index, known);
  return known;
}

export function executorAccount(index: number): DevelopmentAccount {
  return developmentAccount(FIRST_EXECUTOR + index);
}

/** The place of an address in the phrase, so that its owner can authorise operators. */
export function indexOfAddress(address: string): number {
  for (let index = 0; index < KNOWN_ACCOUNTS; index++) if (developmentAccount(index).address === address) return index;
  throw new Error(`${address} is no development account`);
}

/** Where the first contract of the account that issues the token lies: the hash of the RLP of the account and its first nonce, 0. */
export function tokenAddress(): string {
  const rlp = hexToBytes(`d694${developmentAccount(0).address.slice(2)}80`);
  return `0x${bytesToHex(keccak256(rlp)).slice(24)}`;
}

const accounts = new Map<number, DevelopmentAccount>();

type ExtendedKey = { readonly key: Buffer; readonly chainCode: Buffer };

const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
const HARDENED = 0x8000_0000;

/** m/44'/60'/0'/0, above all accounts (BIP-39 without passphrase, BIP-32, BIP-44), which is slow to derive: once. */
const parent: ExtendedKey = [44 + HARDENED, 60 + HARDENED, HARDENED, 0].reduce(
  childOf,
  extendedKey(hmac('Bitcoin seed', pbkdf2Sync(DEVELOPMENT_MNEMONIC.normalize('NFKD'), 'mnemonic', 2048, 64, 'sha512'))),
);

function deriveAccount(index: number): DevelopmentAccount {
  const privateKey = childOf(parent, index).key.toString('hex');
  return { address: addressOf(secp256k1Signer(privateKey).key), privateKey: `0x${privateKey}` };
}

/** BIP-32, "Private parent key → private child key". That a sum is zero or beyond the order does not happen for a phrase that is known. */
function childOf({ key, chainCode }: ExtendedKey, index: number): ExtendedKey {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(index);
  const data = index >= HARDENED ? [Buffer.alloc(1), key, number] : [compressedPublicKey(key), number];
  const { key: tweak, chainCode: next } = extendedKey(hmac(chainCode, Buffer.concat(data)));
  const sum = (toNumber(tweak) + toNumber(key)) % ORDER;
  return { key: Buffer.from(sum.toString(16).padStart(64, '0'), 'hex'), chainCode: next };
}

function extendedKey(bytes: Buffer): ExtendedKey {
  return { key: bytes.subarray(0, 32), chainCode: bytes.subarray(32) };
}

function compressedPublicKey(key: Buffer): Buffer {
  const curve = createECDH('secp256k1');
  curve.setPrivateKey(key);
  return curve.getPublicKey(null, 'compressed');
}

function hmac(key: string | Buffer, data: Buffer): Buffer {
  return createHmac('sha512', key).update(data).digest();
}

function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
