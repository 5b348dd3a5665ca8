import { Fault, hashToHex, type Operation } from '@linkspan/protocol';
import { decodeFunctionResult, encodeFunctionData, hexToString, toEventSelector, zeroHash } from 'viem';
import { isObject } from '../../document-reader.ts';
import { asHex, asNumber, type Hex, isHexText, type JsonRpc, toHex, unintelligible } from './json-rpc.ts';
import { holdIdOf, type HoldRecord, type OperationRecord, type Proof } from './operation-state.ts';
import { tokenAbi } from './token-abi.ts';

/** Reads the token's state and its log. `head` was asked before the state, so nothing in the state is older than it says. */
export type TokenReader = {
  state(
    operation: Operation,
  ): Promise<{ readonly head: number; readonly record: OperationRecord; readonly hold: HoldRecord }>;
  holds(ids: readonly Hex[]): Promise<HoldRecord[]>;
  /** Where in its block the event stands, or undefined when this node does not show it (yet). */
  find(proof: Proof): Promise<{ readonly transaction: Hex; readonly logIndex: number } | undefined>;
  logs(filter: {
    readonly from: number;
    readonly to: number;
    readonly topics: readonly (Hex | readonly Hex[] | null)[];
  }): Promise<TokenLog[]>;
  balances(
    accounts: readonly Hex[],
  ): Promise<{ readonly account: Hex; readonly balance: bigint; readonly held: bigint }[]>;
};

export type TokenLog = {
  readonly block: number;
  readonly logIndex: number;
  readonly transaction: Hex;
  readonly topics: readonly [Hex, ...Hex[]];
  readonly data: Hex;
};

export const EVENT_TOPICS: Readonly<Record<Proof['event'], Hex>> = {
  Held: toEventSelector('Held(bytes32,bytes32,address,address,uint256)'),
  Executed: toEventSelector('Executed(bytes32,bytes32,bytes32,address,address,uint256)'),
  Released: toEventSelector('Released(bytes32,bytes32,bytes32,address,uint256)'),
  FencedOp: toEventSelector('FencedOp(bytes32,bytes4)'),
};
export const TRANSFER_TOPIC: Hex = toEventSelector('Transfer(address,address,uint256)');

/** `0x` and 32 bytes. */
const WORD_DIGITS = 66;
const OPERATION_STATUS = ['none', 'effective', 'fenced'] as const;
const OPERATION_KIND = ['none', 'hold', 'execute', 'release'] as const;
const HOLD_STATUS = ['none', 'held', 'executed', 'released'] as const;

export function createTokenReader({
  rpc,
  token,
  system,
}: {
  readonly rpc: JsonRpc;
  readonly token: Hex;
  readonly system: string;
}): TokenReader {
  async function call(data: Hex): Promise<Hex> {
    const answer = asHex(await rpc.call('eth_call', [{ to: token, data }, 'latest']));
    if (answer === '0x') throw new Fault('system-unavailable', `There is no token at ${token} of ${system}.`);
    return answer;
  }

  async function readRecord(id: Hex): Promise<OperationRecord> {
    const data = encodeFunctionData({ abi: tokenAbi, functionName: 'operations', args: [id] });
    const answer = await call(data);
    const record = decoded(answer, () =>
      decodeFunctionResult({ abi: tokenAbi, functionName: 'operations', data: answer }),
    );
    return {
      status: OPERATION_STATUS[record.status] ?? 'none',
      kind: OPERATION_KIND[record.kind] ?? 'none',
      reason: hexToString(record.reason, { size: 4 }),
      block: Number(record.blockNumber),
      hold: record.hold,
    };
  }

  async function readHold(id: Hex): Promise<HoldRecord> {
    const data = encodeFunctionData({ abi: tokenAbi, functionName: 'holds', args: [id] });
    const answer = await call(data);
    const hold = decoded(answer, () => decodeFunctionResult({ abi: tokenAbi, functionName: 'holds', data: answer }));
    return {
      status: HOLD_STATUS[hold.status] ?? 'none',
      closedBlock: Number(hold.closedBlock),
      from: lower(hold.from),
      to: lower(hold.to),
      amount: hold.amount,
      settlement: hold.settlement,
    };
  }

  async function readAmount(functionName: 'balanceOf' | 'heldBalanceOf', account: Hex): Promise<bigint> {
    const answer = await call(encodeFunctionData({ abi: tokenAbi, functionName, args: [account] }));
    if (answer.length !== WORD_DIGITS) throw unintelligible(answer, 'an amount was due');
    return BigInt(answer);
  }

  async function readLogs({ from, to, topics }: Parameters<TokenReader['logs']>[0]): Promise<TokenLog[]> {
    const answer = await rpc.call('eth_getLogs', [
      { address: token, fromBlock: toHex(from), toBlock: toHex(to), topics },
    ]);
    if (!Array.isArray(answer)) throw new Fault('system-unavailable', `${system} does not show its log.`);
    return answer.map(tokenLog);
  }

  return {
    async state(operation) {
      const id = hashToHex(operation.id);
      const holdId = holdIdOf(operation);
      const [head, record, hold] = await Promise.all([
        rpc.call('eth_blockNumber', []),
        readRecord(id),
        readHold(holdId),
      ]);
      // An id that took effect on another hold than was asked is told with that hold.
      const other = record.status === 'effective' && record.hold !== zeroHash && record.hold !== holdId;
      return { head: asNumber(head), record, hold: other ? await readHold(record.hold) : hold };
    },
    holds: (ids) => Promise.all(ids.map(readHold)),
    async find({ event, id, block }) {
      const byHold = event === 'Executed' || event === 'Released';
      const logs = await readLogs({
        from: block,
        to: block,
        topics: byHold ? [EVENT_TOPICS[event], null, id] : [EVENT_TOPICS[event], id],
      });
      const [first] = logs;
      return first && { transaction: first.transaction, logIndex: first.logIndex };
    },
    logs: readLogs,
    balances: (accounts) =>
      Promise.all(
        accounts.map(async (account) => {
          const [balance, held] = await Promise.all([
            readAmount('balanceOf', account),
            readAmount('heldBalanceOf', account),
          ]);
          return { account, balance, held };
        }),
      ),
  };
}

function tokenLog(value: unknown): TokenLog {
  const log = isObject(value) ? value : {};
  const topics = Array.isArray(log['topics']) ? log['topics'].filter(isHexText) : [];
  return {
    block: asNumber(log['blockNumber']),
    logIndex: asNumber(log['logIndex']),
    transaction: asHex(log['transactionHash']),
    topics: [topics[0] ?? '0x', ...topics.slice(1)],
    data: asHex(log['data']),
  };
}

/** What a node says of the token, where it can be read as the token's interface has it. Throws a Fault `system-unavailable` where not. */
export function decoded<T>(answer: unknown, decode: () => T): T {
  try {
    return decode();
  } catch {
    throw unintelligible(answer, 'something of the interface of the token was due');
  }
}

function lower(address: Hex): Hex {
  return `0x${address.slice(2).toLowerCase()}`;
}
