import { readFileSync } from 'node:fs';
import { isAddress, isHex } from 'viem';
import type { Address, Hex } from 'viem';

import { isObject } from './launcher/json-rpc.ts';
import { messageOf, StartError } from './launcher/start-error.ts';

export type FcyEvmConfig = {
  /** Port of the JSON-RPC endpoint on loopback; 0 takes a free one. */
  port: number;
  dataDir: string;
  chainId: number;
  /** BIP-39 phrase; account 0 owns and issues the token, and the first accounts have native currency for fees. */
  mnemonic: string;
  token: { name: string; symbol: string; decimals: number };
  /** Whose certificates the token accepts at first. Signers in ascending order of their addresses. */
  certificates: { network: Hex; epoch: number; quorum: number; signers: readonly Address[] };
  executors: readonly Address[];
  accounts: readonly AccountConfig[];
};

export type AccountConfig = {
  /** Needed only where no mnemonic index is given; where both are, they must agree. */
  address?: Address;
  /** The account's key in the mnemonic, with which it authorises its operators. */
  mnemonicIndex?: number;
  /** Issued once, when the chain starts for the first time, in minor units. */
  balance: bigint;
  operators: readonly Address[];
};

/** Reads a configuration file. Throws a StartError that names every problem at once. */
export function loadConfig(path: string): FcyEvmConfig {
  try {
    return parseConfig(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new StartError(`The configuration ${path} cannot be used: ${messageOf(error)}`, error);
  }
}

/** Reads a configuration from JSON data (amounts as decimal strings). Throws a StartError that names every problem. */
export function parseConfig(value: unknown): FcyEvmConfig {
  const reader = new ConfigReader();
  const root = reader.object(value, '', rootMembers);
  const token = reader.object(root.token, '/token', ['name', 'symbol', 'decimals']);
  const certificates = reader.object(root.certificates, '/certificates', ['network', 'epoch', 'quorum', 'signers']);
  const config: FcyEvmConfig = {
    port: reader.integer(root.port, '/port', 0, 65_535),
    dataDir: reader.text(root.dataDir, '/dataDir'),
    chainId: reader.integer(root.chainId, '/chainId', 1, Number.MAX_SAFE_INTEGER),
    mnemonic: reader.text(root.mnemonic, '/mnemonic'),
    token: {
      name: reader.text(token.name, '/token/name'),
      symbol: reader.text(token.symbol, '/token/symbol'),
      decimals: reader.integer(token.decimals, '/token/decimals', 0, 18),
    },
    certificates: {
      network: reader.bytes32(certificates.network, '/certificates/network'),
      epoch: reader.integer(certificates.epoch, '/certificates/epoch', 0, Number.MAX_SAFE_INTEGER),
      quorum: reader.integer(certificates.quorum, '/certificates/quorum', 1, 1000),
      signers: sortedAddresses(reader.addresses(certificates.signers, '/certificates/signers')),
    },
    executors: reader.addresses(root.executors, '/executors'),
    accounts: reader
      .list(root.accounts, '/accounts')
      .map((account, index) => readAccount(reader, account, `/accounts/${index}`)),
  };
  if (reader.problems.length > 0) throw new StartError(reader.problems.join('; '));
  return config;
}

const rootMembers = ['port', 'dataDir', 'chainId', 'mnemonic', 'token', 'certificates', 'executors', 'accounts'];

function readAccount(reader: ConfigReader, value: unknown, at: string): AccountConfig {
  const members = reader.object(value, at, ['address', 'mnemonicIndex', 'balance', 'operators']);
  const operators = reader.addresses(members.operators ?? [], `${at}/operators`);
  if (members.address === undefined && members.mnemonicIndex === undefined) {
    reader.problems.push(`${at} needs an address or a mnemonicIndex`);
  }
  if (members.mnemonicIndex === undefined && operators.length > 0) {
    reader.problems.push(`${at} needs a mnemonicIndex, since only the account's key can authorise operators`);
  }
  const hasAddress = members.address !== undefined;
  const hasIndex = members.mnemonicIndex !== undefined;
  return {
    ...(hasAddress ? { address: reader.address(members.address, `${at}/address`) } : {}),
    ...(hasIndex
      ? {
          mnemonicIndex: reader.integer(members.mnemonicIndex, `${at}/mnemonicIndex`, 0, 2 ** 31 - 1),
        }
      : {}),
    balance: reader.amount(members.balance, `${at}/balance`),
    operators,
  };
}

/** The order that the token asks for: by number, not by the letters of a checksummed address. */
function sortedAddresses(addresses: readonly Address[]): Address[] {
  return addresses.toSorted((left, right) => (BigInt(left) < BigInt(right) ? -1 : 1));
}

/** Reads values, collecting what is wrong with them; what it returns in such a case is never used. */
class ConfigReader {
  readonly problems: string[] = [];

  object(value: unknown, at: string, members: readonly string[]): Record<string, unknown> {
    if (!isObject(value)) {
      this.problems.push(`${at === '' ? 'the whole' : at} must be an object`);
      return {};
    }
    for (const member of Object.keys(value)) {
      if (!members.includes(member)) this.problems.push(`${at}/${member} is not known`);
    }
    return value;
  }

  list(value: unknown, at: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    this.problems.push(`${at} must be a list`);
    return [];
  }

  text(value: unknown, at: string): string {
    if (typeof value === 'string' && value !== '') return value;
    this.problems.push(`${at} must be a text`);
    return '';
  }

  integer(value: unknown, at: string, least: number, most: number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    this.problems.push(`${at} must be an integer from ${least} to ${most}`);
    return least;
  }

  amount(value: unknown, at: string): bigint {
    if (typeof value === 'string' && /^(?:0|[1-9]\d*)$/.test(value)) return BigInt(value);
    this.problems.push(`${at} must be minor units as a string of digits`);
    return 0n;
  }

  bytes32(value: unknown, at: string): Hex {
    if (isHex(value) && value.length === 66) return value;
    this.problems.push(`${at} must be 32 bytes as hex`);
    return '0x';
  }

  address(value: unknown, at: string): Address {
    // Checksums are not asked for: keys arrive here from tools that print plain hex.
    if (typeof value === 'string' && isAddress(value, { strict: false })) return value;
    this.problems.push(`${at} must be an address`);
    return '0x';
  }

  addresses(value: unknown, at: string): Address[] {
    return this.list(value, at).map((address, index) => this.address(address, `${at}/${index}`));
  }
}
