import { encodeDeployData, encodeFunctionData, getContractAddress, isHex, keccak256, stringToHex } from 'viem';
import type { Address, Hex } from 'viem';
import type { HDAccount } from 'viem/accounts';

import compiledToken from './compiled/holdable-cash-token.json' with { type: 'json' };
import { tokenAbi } from './compiled/token-abi.ts';
import type { AccountConfig, FcyEvmConfig } from './config.ts';
import type { DurableChain } from './launcher/durable-chain.ts';
import { isObject } from './launcher/json-rpc.ts';
import type { NodeClient } from './launcher/node-client.ts';
import { StartError } from './launcher/start-error.ts';
import { mnemonicKeys } from './mnemonic-keys.ts';

/**
 * Makes the chain what the configuration says, and returns the token's address. On an empty chain it deploys the token,
 * issues the opening balances and grants roles and operators; later it only adds roles and operators that are missing.
 * All of it is one journal entry: a crash leaves everything or nothing. Throws a StartError.
 */
export async function bootstrapToken(chain: DurableChain, config: FcyEvmConfig): Promise<Address> {
  const keyAt = mnemonicKeys(config.mnemonic);
  const owner = keyAt(0);
  const token = getContractAddress({ from: owner.address, nonce: 0n });
  const accounts = config.accounts.map((account, index) => openAccount(account, index, keyAt));
  const isNew = (await chain.node.demand('eth_getCode', [token, 'latest'])) === '0x';
  const steps: Step[] = [];
  if (isNew) {
    steps.push({ signer: owner, to: undefined, data: deploymentOf(config, owner.address) });
    for (const { address, balance } of accounts.filter((account) => account.balance > 0n)) {
      const data = encodeFunctionData({
        abi: tokenAbi,
        functionName: 'issue',
        args: [address, balance],
      });
      steps.push({ signer: owner, to: token, data });
    }
  }
  for (const executor of config.executors) {
    const args = [executorRole, executor] as const;
    const has = encodeFunctionData({ abi: tokenAbi, functionName: 'hasRole', args });
    const grant = encodeFunctionData({ abi: tokenAbi, functionName: 'grantRole', args });
    if (isNew || !(await isTrue(chain.node, token, has))) steps.push({ signer: owner, to: token, data: grant });
  }
  for (const { address, key, operators } of accounts) {
    for (const operator of operators) {
      const has = encodeFunctionData({
        abi: tokenAbi,
        functionName: 'isHoldOperatorFor',
        args: [operator, address],
      });
      const grant = encodeFunctionData({
        abi: tokenAbi,
        functionName: 'authorizeHoldOperator',
        args: [operator],
      });
      if (isNew || !(await isTrue(chain.node, token, has))) steps.push({ signer: key, to: token, data: grant });
    }
  }
  await perform(chain, config.chainId, steps);
  return token;
}

const executorRole = keccak256(stringToHex('EXECUTOR_ROLE'));

// Far above what these transactions use, and nothing is charged for it.
const gasPerTransaction = 8_000_000n;

/** A transaction still to be signed; without `to` it deploys. */
type Step = { signer: HDAccount | undefined; to: Address | undefined; data: Hex };

type OpenedAccount = {
  address: Address;
  key: HDAccount | undefined;
  balance: bigint;
  operators: readonly Address[];
};

function openAccount(account: AccountConfig, index: number, keyAt: (index: number) => HDAccount): OpenedAccount {
  const { balance, operators } = account;
  const key = account.mnemonicIndex === undefined ? undefined : keyAt(account.mnemonicIndex);
  const address = account.address ?? key?.address;
  if (address === undefined) throw new StartError(`/accounts/${index} needs an address or a mnemonicIndex.`);
  if (key !== undefined && key.address.toLowerCase() !== address.toLowerCase()) {
    throw new StartError(`/accounts/${index}/address is not that of its mnemonicIndex, which is ${key.address}.`);
  }
  return { address, key, balance, operators };
}

function deploymentOf({ token, certificates }: FcyEvmConfig, owner: Address): Hex {
  const { bytecode } = compiledToken;
  if (!isHex(bytecode)) throw new Error('The compiled token has no bytecode.');
  const { network, epoch, quorum, signers } = certificates;
  const { name, symbol, decimals } = token;
  const args = [name, symbol, decimals, network, BigInt(epoch), BigInt(quorum), signers, owner] as const;
  return encodeDeployData({ abi: tokenAbi, bytecode, args });
}

async function isTrue(node: NodeClient, token: Address, data: Hex): Promise<boolean> {
  const answer = await node.demand('eth_call', [{ to: token, data }, 'latest']);
  return typeof answer === 'string' && isHex(answer) && BigInt(answer) === 1n;
}

/** Signs the steps and has them mined. Nobody else can submit yet, so their block is cut before the replies come. */
async function perform({ node, miner }: DurableChain, chainId: number, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return;
  const nonces = new Map<Address, number>();
  const transactions: Hex[] = [];
  for (const { signer, to, data } of steps) {
    if (signer === undefined) throw new StartError('An account without a mnemonicIndex cannot authorise operators.');
    const nonce = nonces.get(signer.address) ?? (await nonceOf(node, signer.address));
    nonces.set(signer.address, nonce + 1);
    const target = to === undefined ? {} : { to };
    const fees = { type: 'legacy', gas: gasPerTransaction, gasPrice: 0n } as const;
    transactions.push(await signer.signTransaction({ ...fees, ...target, chainId, nonce, data }));
  }
  for (const reply of await miner.submit(transactions)) {
    if (!reply.ok) throw new StartError(`The chain node refused a transaction of the start: ${reply.error.message}.`);
    const receipt = await node.demand('eth_getTransactionReceipt', [reply.result]);
    if (!isObject(receipt) || receipt.status !== '0x1') {
      throw new StartError('A transaction of the start failed: are the certificates of the configuration consistent?');
    }
  }
}

async function nonceOf(node: NodeClient, address: Address): Promise<number> {
  return Number(await node.demand('eth_getTransactionCount', [address, 'pending']));
}
