import { pbkdf2Sync } from 'node:crypto';
import { HDKey, hdKeyToAccount } from 'viem/accounts';
import type { HDAccount } from 'viem/accounts';

/**
 * The accounts of a mnemonic (BIP-39 without passphrase, BIP-44 path m/44'/60'/0'/0/index). The seed, which is slow to
 * derive, is derived once.
 */
export function mnemonicKeys(mnemonic: string): (index: number) => HDAccount {
  const seed = pbkdf2Sync(mnemonic.normalize('NFKD'), 'mnemonic', 2048, 64, 'sha512');
  const root = HDKey.fromMasterSeed(seed);
  return (addressIndex) => hdKeyToAccount(root, { addressIndex });
}
