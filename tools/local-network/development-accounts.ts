import { pbkdf2Sync } from 'node:crypto';
import { HDKey, hdKeyToAccount } from 'viem/accounts';

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

function hex(text: string): `0x${string}` {
  return `0x${text.slice(2).toLowerCase()}`;
}

const accounts = new Map<number, DevelopmentAccount>();

/** The root of all accounts (BIP-39 without passphrase), which is slow to derive: once, and natively. */
const rootKey = HDKey.fromMasterSeed(
  pbkdf2Sync(DEVELOPMENT_MNEMONIC.normalize('NFKD'), 'mnemonic', 2048, 64, 'sha512'),
);

function deriveAccount(index: number): DevelopmentAccount {
  const account = hdKeyToAccount(rootKey, { addressIndex: index });
  const key = account.getHdKey().privateKey;
  if (!key) throw new Error('a derived account has a private key');
  return { address: hex(account.address), privateKey: hex(`0x${Buffer.from(key).toString('hex')}`) };
}
