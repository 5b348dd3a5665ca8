import {
  certificateForSystems,
  certificateKindNumber,
  Fault,
  hashToHex,
  nameInSystem,
  type Operation,
  parseAmount,
  type SignedCertificate,
} from '@linkspan/protocol';
import { encodeFunctionData, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Connector, Observation, Reading, ReadingQuery, Submission } from '../../connector.ts';
import { noAnswer } from '../../no-answer.ts';
import { createAccountBook } from './account-book.ts';
import { observeLog } from './event-log.ts';
import type { EvmConfig } from './evm-config.ts';
import { createFinality, type Finality } from './finality.ts';
import { createHeadWatch, type HeadWatch } from './head-watch.ts';
import { createJsonRpc, type Hex, isHexText, type JsonRpc, RpcError } from './json-rpc.ts';
import { termsOf, type Verdict, verdicts } from './operation-state.ts';
import { readRevert, type Revert } from './reverts.ts';
import { tokenAbi } from './token-abi.ts';
import { createTokenReader, type TokenReader } from './token-reader.ts';
import { createTransactionSender, type TransactionSender } from './transaction-sender.ts';

/** What the connector's parts share. */
export type EvmSystem = {
  readonly config: EvmConfig;
  readonly rpc: JsonRpc;
  readonly head: HeadWatch;
  readonly reader: TokenReader;
  readonly sender: TransactionSender;
  readonly finality: Finality;
  readonly executor: Hex;
};

/** A cash token with holds on an EVM chain. Final is what has `confirmations` blocks on top of it. */
export function createEvmConnector(config: EvmConfig): Connector {
  const { system, token, confirmations, pollingMs } = config;
  const rpc = createJsonRpc({ url: config.rpcUrl, system, timeoutMs: config.timeoutMs, tls: config.tls });
  const head = createHeadWatch({ rpc, confirmations, pollingMs });
  const account = privateKeyToAccount(asPrivateKey(config.executorPrivateKey.reveal()));
  const sender = createTransactionSender({ rpc, head, account, system, stuckMs: config.stuckMs });
  const reader = createTokenReader({ rpc, token, system });
  const evm: EvmSystem = {
    config,
    rpc,
    head,
    reader,
    sender,
    finality: createFinality(rpc, system),
    executor: account.address,
  };
  const accounts = createAccountBook(evm);
  return {
    submit: (operation, certificate) => intelligible(system, submit(evm, operation, certificate)),
    observe: (cursor, filter, signal) => observeLog(evm, cursor, filter, signal),
    lookup: (operation) => intelligible(system, lookup(evm, operation)),
    fence: (operation, reason, certificate) => intelligible(system, fence(evm, operation, reason, certificate)),
    read: (query) =>
      intelligible(
        system,
        read(evm, () => accounts.known(), query),
      ),
    async [Symbol.asyncDispose]() {
      sender.close();
      head.close();
      await rpc.close();
    },
  };
}

/** A node that refuses what no right node refuses, such as to tell its height, has given no answer. */
async function intelligible<T>(system: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RpcError) throw noAnswer('system-unavailable', system, error);
    throw error;
  }
}

async function submit(evm: EvmSystem, operation: Operation, certificate?: SignedCertificate): Promise<Submission> {
  evm.finality.check();
  const call = callOf(operation, certificate);
  if ('status' in call) return call;
  // A call that was reverted and would pass now lost a race within its block: it is worth one more transaction.
  for (let attempt = 1; ; attempt++) {
    const revert = await send(evm, call.data, call.gas);
    if (!revert) return { status: 'sent' };
    if (revert === 'would-pass') {
      if (attempt === 1) continue;
      return { status: 'refused', reason: 'NARR', message: 'The token reverted twice, and would accept the call now.' };
    }
    return revert.status === 'already' ? already(evm, operation) : revert;
  }
}

/** The id or hold was used before: by this very operation, or by something else. */
async function already(evm: EvmSystem, operation: Operation): Promise<Submission> {
  const { record, hold } = await evm.reader.state(operation);
  const [first] = verdicts(operation, record, hold);
  if (first?.status !== 'effective')
    return { status: 'refused', reason: 'NARR', message: `The hold is ${hold.status} already.` };
  const terms = termsOf(operation, first, evm.config);
  const names = Object.keys({ ...terms, ...operation.terms });
  if (names.every((name) => terms[name] === operation.terms[name])) return { status: 'sent' };
  return { status: 'refused', reason: 'DUPL', message: 'The id was used with other content.' };
}

/** Sends a call of the token and waits for its block. Undefined when it passed. */
async function send(evm: EvmSystem, data: Hex, gas: bigint): Promise<Revert | 'would-pass' | undefined> {
  const { token } = evm.config;
  const mined = await evm.sender.send({ to: token, data, gas });
  if (!mined.reverted) return undefined;
  try {
    await evm.rpc.call('eth_call', [{ from: evm.executor, to: token, data }, 'latest']);
    return 'would-pass';
  } catch (error) {
    if (error instanceof RpcError) return readRevert(error);
    throw error;
  }
}

async function lookup(evm: EvmSystem, operation: Operation): Promise<Observation | undefined> {
  evm.finality.check();
  const { head, record, hold } = await evm.reader.state(operation);
  const found = verdicts(operation, record, hold);
  const [first, second] = found;
  // Not seen yet is mostly about to be seen.
  if (!first || first.proof.block > head - evm.config.confirmations) {
    evm.head.hurry();
    return undefined;
  }
  if (!second || second.proof.block > first.proof.block)
    return observation(evm, operation, first, await evm.reader.find(first.proof));
  const [one, two] = await Promise.all([evm.reader.find(first.proof), evm.reader.find(second.proof)]);
  if (!one || !two) return undefined;
  return one.logIndex < two.logIndex
    ? observation(evm, operation, first, one)
    : observation(evm, operation, second, two);
}

function observation(
  evm: EvmSystem,
  operation: Operation,
  verdict: Verdict,
  log: { transaction: Hex } | undefined,
): Observation | undefined {
  if (!log) return undefined;
  const { status } = verdict;
  const facts =
    status === 'dead'
      ? { terms: {}, reason: verdict.reason }
      : { terms: termsOf(operation, verdict, evm.config), reason: '' };
  return { operation: operation.id, status, ...facts, transaction: log.transaction };
}

async function fence(
  evm: EvmSystem,
  operation: Operation,
  reason: string,
  certificate?: SignedCertificate,
): Promise<Observation> {
  const code = /^[A-Z0-9]{4}$/.test(reason) ? reason : 'NARR';
  const { record, hold } = await evm.reader.state(operation);
  // What has taken effect or is fenced, final or not, needs no fence: it only has to become final.
  if (verdicts(operation, record, hold).length === 0) await sendFence(evm, operation, code, certificate);
  return untilFinal(evm, operation);
}

async function sendFence(
  evm: EvmSystem,
  operation: Operation,
  reason: string,
  certificate?: SignedCertificate,
): Promise<void> {
  const args = [hashToHex(operation.id), stringToHex(reason, { size: 4 })] as const;
  const plain = await send(evm, encodeFunctionData({ abi: tokenAbi, functionName: 'fence', args }), 150_000n);
  if (!plain) return;
  if (certificate) {
    // Not one of the token's executors any more: the certificate lets anybody fence what it names.
    const data = encodeFunctionData({
      abi: tokenAbi,
      functionName: 'fenceCertified',
      args: [...args, ...certificateArguments(certificate)],
    });
    if (!(await send(evm, data, gasFor(certificate)))) return;
  }
  const why = typeof plain === 'object' && plain.status === 'refused' ? plain.message : 'The token reverted it.';
  throw new Fault('system-unavailable', `${evm.config.system} does not fence: ${why}`);
}

async function untilFinal(evm: EvmSystem, operation: Operation): Promise<Observation> {
  const limit = AbortSignal.timeout(evm.config.timeoutMs);
  for (let block = -1; !limit.aborted;) {
    const found = await lookup(evm, operation);
    if (found) return found;
    block = await evm.head.finalBeyond(block, limit);
  }
  throw new Fault('system-unavailable', `The fence on ${evm.config.system} is not final yet.`, {
    mayHaveHappened: true,
  });
}

async function read(evm: EvmSystem, known: () => Promise<readonly Hex[]>, query: ReadingQuery): Promise<Reading> {
  const cursor = String((await evm.head.latest()) - evm.config.confirmations);
  if (query.type === 'health') return { positions: [], cursor };
  const wanted = query.accounts?.filter(isHexText) ?? (await known());
  const rows = await evm.reader.balances(wanted);
  return { positions: rows.map((row) => ({ ...row, asset: evm.config.currency })), cursor };
}

type Call = { readonly data: Hex; readonly gas: bigint };

/** The token's call for an operation. What can never be such a call is refused here; the system then fences the id. */
function callOf(operation: Operation, certificate?: SignedCertificate): Call | Exclude<Submission, { status: 'sent' }> {
  const { verb, terms } = operation;
  if (verb === 'hold') return holdCall(operation);
  if (verb !== 'execute' && verb !== 'release') return refused(`A token with holds has no ${verb}.`);
  const hold = terms['hold'] ?? '';
  if (!/^sha256:[0-9a-f]{64}$/.test(hold)) return refused('The operation names no hold.');
  if (!certificate) return { ...refused('The certificate is missing.'), about: 'certificate' };
  const args = [
    hashToHex(operation.id),
    `0x${hold.slice('sha256:'.length)}`,
    ...certificateArguments(certificate),
  ] as const;
  return { data: encodeFunctionData({ abi: tokenAbi, functionName: verb, args }), gas: gasFor(certificate) };
}

function holdCall({ id, settlement, terms }: Operation): Call | Exclude<Submission, { status: 'sent' }> {
  const [from, to] = [nameInSystem(terms['from'] ?? ''), nameInSystem(terms['to'] ?? '')];
  const amount = parseAmount(terms['amount'] ?? '', terms['currency'] ?? '');
  if (!isAddress(from) || !isAddress(to)) return refused('The accounts are not addresses of this chain.');
  if (!amount.ok) return refused(amount.message);
  const args = [hashToHex(id), hashToHex(settlement), from, to, amount.value] as const;
  return { data: encodeFunctionData({ abi: tokenAbi, functionName: 'hold', args }), gas: 400_000n };
}

function refused(message: string): { status: 'refused'; reason: string; message: string } {
  return { status: 'refused', reason: 'NARR', message };
}

function certificateArguments(signed: SignedCertificate) {
  const { certificate, block, path, signatures } = certificateForSystems(signed);
  const tuple = {
    ...certificate,
    kind: certificateKindNumber(certificate.kind),
    count: BigInt(certificate.count),
    epoch: BigInt(certificate.epoch),
  };
  const proof = {
    block: BigInt(block),
    index: BigInt(path.index),
    size: BigInt(path.size),
    hashes: path.hashes,
    signatures,
  };
  return [tuple, proof] as const;
}

/** A bound, not an estimate: what is not used is not charged, and an estimate would cost another question. */
function gasFor({ certificate, path, signatures }: SignedCertificate): bigint {
  return (
    350_000n + 20_000n * BigInt(signatures.length) + 2_000n * BigInt(certificate.operations.length + path.hashes.length)
  );
}

function isAddress(text: string): text is Hex {
  return /^0x[0-9a-f]{40}$/.test(text);
}

function asPrivateKey(text: string): Hex {
  if (isHexText(text) && text.length === 66) return text;
  throw new Fault('configuration-invalid', 'The private key of the executor must be 0x and 64 hexadecimal digits.');
}
