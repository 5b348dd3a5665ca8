import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublicClient, decodeErrorResult, encodeFunctionData, http, isHex, keccak256, toHex } from 'viem';
import type { Address, ContractFunctionArgs, ContractFunctionName, Hex } from 'viem';
import type { HDAccount } from 'viem/accounts';

import { tokenAbi } from '../compiled/token-abi.ts';
import type { FcyEvmConfig } from '../config.ts';
import { mnemonicKeys } from '../mnemonic-keys.ts';
import { startFcyEvm } from '../start-fcy-evm.ts';
import { kinds, organisations } from './certificate-signing.ts';
import type { Certificate } from './certificate-signing.ts';
import { rpc, rpcResult, waitForReceipt } from './rpc.ts';

const mnemonic = 'test test test test test test test test test test test junk';

export const keyAt = mnemonicKeys(mnemonic);
export const owner = keyAt(0);
export const executor = keyAt(1);
export const otherExecutor = keyAt(2);
export const stranger = keyAt(3);
export const payee = keyAt(4);
export const network = bytes32('network');
export const signers = organisations(['organisation A', 'organisation B', 'organisation C']);
export const quorum = signers.slice(0, 2);
export const openingBalance = 1_000n;
export const noOperation = `0x${'00'.repeat(32)}` as const;

const firstPayerIndex = 20;
const payers = 40;

/** A readable stand-in for an id: the hash of a name. */
export function bytes32(name: string): Hex {
  return keccak256(toHex(name));
}

export function fixtureConfig(dataDir: string): FcyEvmConfig {
  const accounts = Array.from({ length: payers }, (_, index) => ({
    mnemonicIndex: firstPayerIndex + index,
    balance: openingBalance,
    operators: [executor.address],
  }));
  return {
    port: 0,
    dataDir,
    chainId: 31_337,
    mnemonic,
    token: { name: 'US Dollar', symbol: 'USD', decimals: 2 },
    certificates: { network, epoch: 1, quorum: 2, signers: signers.map((signer) => signer.address) },
    executors: [executor.address, otherExecutor.address],
    accounts,
  };
}

/** A certificate of the fixture's network and first epoch. */
export function certificate(
  settlement: Hex,
  kind: keyof typeof kinds,
  operations: readonly Hex[] = [],
  changes: Partial<Certificate> = {},
): Certificate {
  const [scenario, head] = [bytes32('scenario'), bytes32('head')];
  return { network, settlement, kind: kinds[kind], scenario, head, count: 7n, epoch: 1n, operations, ...changes };
}

type WriteName = ContractFunctionName<typeof tokenAbi, 'nonpayable'>;

/** One of the token's functions with its arguments. */
export type Write = {
  [Name in WriteName]: readonly [functionName: Name, args: ContractFunctionArgs<typeof tokenAbi, 'nonpayable', Name>];
}[WriteName];

export type TokenFixture = Awaited<ReturnType<typeof openTokenFixture>>;

/** The token on a real chain in a temporary folder. */
export async function openTokenFixture() {
  const dataDir = mkdtempSync(join(tmpdir(), 'fcy-evm-'));
  const config = fixtureConfig(dataDir);
  const system = await startFcyEvm(config);
  const client = createPublicClient({ transport: http(system.url) });
  const contract = { address: system.token, abi: tokenAbi };
  let nextPayer = firstPayerIndex;

  /** An account that no other test uses, with the opening balance, and `executor` as its operator. */
  function freshPayer(): HDAccount {
    return keyAt(nextPayer++);
  }

  async function sign(signer: HDAccount, nonce: number, [functionName, args]: Write): Promise<Hex> {
    const data = encodeFunctionData({ abi: tokenAbi, functionName, args });
    const fees = { type: 'legacy', gas: 2_000_000n, gasPrice: 0n, chainId: 31_337 } as const;
    return signer.signTransaction({ ...fees, to: system.token, nonce, data });
  }

  async function nonceOf(address: Address): Promise<number> {
    return Number(await rpcResult(system.url, 'eth_getTransactionCount', [address, 'pending']));
  }

  /** Says with which error the token would refuse this now; undefined when it would not. */
  async function refusal(from: Address, ...[functionName, args]: Write): Promise<string | undefined> {
    const data = encodeFunctionData({ abi: tokenAbi, functionName, args });
    const reply = await rpc(system.url, 'eth_call', [{ from, to: system.token, data }, 'latest']);
    if (reply.ok) return undefined;
    const { data: revert } = reply.error;
    return isHex(revert) ? decodeErrorResult({ abi: tokenAbi, data: revert }).errorName : reply.error.message;
  }

  /** Sends one transaction, and says `done` or the name of the error with which the token refused it. */
  async function act(signer: HDAccount, ...write: Write): Promise<string> {
    const raw = await sign(signer, await nonceOf(signer.address), write);
    const refused = await refusal(signer.address, ...write);
    const receipt = await waitForReceipt(system.url, await rpcResult(system.url, 'eth_sendRawTransaction', [raw]));
    if (receipt.status === '0x1') return refused === undefined ? 'done' : `${refused} in a call, but done when mined`;
    return refused ?? 'failed when mined, but not in a call';
  }

  async function balances(account: Address): Promise<{ held: bigint; free: bigint }> {
    const [held, free] = await Promise.all([
      client.readContract({ ...contract, functionName: 'heldBalanceOf', args: [account] }),
      client.readContract({ ...contract, functionName: 'freeBalanceOf', args: [account] }),
    ]);
    return { held, free };
  }

  async function close(): Promise<void> {
    await system.close();
    rmSync(dataDir, { recursive: true });
  }

  return {
    config,
    system,
    client,
    contract,
    freshPayer,
    sign,
    nonceOf,
    refusal,
    mined: (hash: unknown) => waitForReceipt(system.url, hash),
    act,
    balances,
    holdOf: (id: Hex) => client.readContract({ ...contract, functionName: 'holds', args: [id] }),
    operation: (id: Hex) => client.readContract({ ...contract, functionName: 'operations', args: [id] }),
    logs: () => client.getContractEvents({ ...contract, fromBlock: 0n }),
    close,
  };
}
