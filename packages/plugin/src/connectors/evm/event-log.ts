import { Fault, type Hash, hashFromHex } from '@linkspan/protocol';
import { decodeEventLog, hexToString, zeroHash } from 'viem';
import { NO_OPERATION, type Observation, type ObservationFilter, type ObservedEvent, wants } from '../../connector.ts';
import { backOffMs, pause } from '../../pause.ts';
import type { EvmSystem } from './evm-connector.ts';
import { type Hex, RpcError } from './json-rpc.ts';
import { type HoldRecord, moved } from './operation-state.ts';
import { tokenAbi } from './token-abi.ts';
import { decoded, EVENT_TOPICS, type TokenLog } from './token-reader.ts';

const PAGE_BLOCKS = 1_000;
const TOPICS = [Object.values(EVENT_TOPICS)];

/**
 * Follows the token's log by block ranges, only as far as it is final. A cursor is `BLOCK`, everything up to that block, or `BLOCK.INDEX`,
 * everything up to that log in it; so nothing is lost while nobody listens.
 */
export async function* observeLog(
  evm: EvmSystem,
  cursor: string,
  filter: ObservationFilter,
  signal: AbortSignal,
): AsyncGenerator<ObservedEvent> {
  let { block, index } = parseCursor(cursor, evm.config.firstBlock);
  let failures = 0;
  while (!signal.aborted) {
    try {
      // The block of the cursor itself may hold more than the cursor has seen.
      const from = index === undefined ? block + 1 : block;
      const final = await evm.head.finalBeyond(from - 1, signal);
      if (signal.aborted) return;
      const to = Math.min(final, from + PAGE_BLOCKS - 1);
      const [logs] = await Promise.all([evm.reader.logs({ from, to, topics: TOPICS }), evm.finality.stillThere(to)]);
      failures = 0;
      const unseen = logs.filter((log) => log.block > block || index === undefined || log.logIndex > index);
      for (const { cursor: after, observation, settlement } of await observed(evm, unseen)) {
        if (wants(filter, observation, settlement)) yield { cursor: after, observation };
      }
      [block, index] = [to, undefined];
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof RpcError)) throw error;
      evm.finality.check();
      await pause(backOffMs(++failures, 50, 1_000), signal);
    }
  }
}

function parseCursor(cursor: string, firstBlock: number): { block: number; index: number | undefined } {
  if (cursor === '') return { block: firstBlock - 1, index: undefined };
  const [, block, index] = /^([0-9]{1,15})(?:\.([0-9]{1,9}))?$/.exec(cursor) ?? [];
  if (block === undefined) throw new Fault('system-unavailable', 'The cursor is no place in the log of the token.');
  return { block: Number(block), index: index === undefined ? undefined : Number(index) };
}

type Observed = ObservedEvent & { readonly settlement: Hash | undefined };

async function observed(evm: EvmSystem, logs: readonly TokenLog[]): Promise<Observed[]> {
  const known = logs.map((log) => ({
    log,
    event: decoded(log, () => decodeEventLog({ abi: tokenAbi, topics: [...log.topics], data: log.data })),
  }));
  // The event of a release does not say to whom the amount would have gone; the hold does.
  const released = known.flatMap(({ event }) => (event.eventName === 'Released' ? [event.args.hold] : []));
  const holds = new Map((await evm.reader.holds(released)).map((hold, i) => [released[i], hold]));
  return known.flatMap(({ log, event }) => {
    const cursor = `${log.block}.${log.logIndex}`;
    switch (event.eventName) {
      case 'Held': {
        const { op, settlement, from, to, amount } = event.args;
        return effect(evm, log, cursor, {
          op,
          settlement,
          hold: undefined,
          record: record({ from, to, amount, settlement }),
        });
      }
      case 'Executed': {
        const { op, settlement, hold, from, to, amount } = event.args;
        return effect(evm, log, cursor, { op, settlement, hold, record: record({ from, to, amount, settlement }) });
      }
      case 'Released': {
        const { op, settlement, hold } = event.args;
        return effect(evm, log, cursor, { op, settlement, hold, record: holds.get(hold) });
      }
      case 'FencedOp': {
        const { op, reason } = event.args;
        const observation = {
          operation: hashFromHex(op),
          status: 'dead',
          terms: {},
          reason: hexToString(reason, { size: 4 }),
          transaction: log.transaction,
        } as const;
        return { cursor, observation, settlement: undefined };
      }
      default:
        return [];
    }
  });
}

type Effect = {
  readonly op: Hex;
  readonly settlement: Hex;
  readonly hold: Hex | undefined;
  readonly record: HoldRecord | undefined;
};

function effect(
  evm: EvmSystem,
  log: TokenLog,
  cursor: string,
  { op, settlement, hold, record: held }: Effect,
): Observed {
  const observation: Observation = {
    operation: op === zeroHash ? NO_OPERATION : hashFromHex(op),
    status: 'effective',
    terms: { ...(held ? moved(held, evm.config) : {}), ...(hold ? { hold: hashFromHex(hold) } : {}) },
    reason: '',
    transaction: log.transaction,
  };
  return { cursor, observation, settlement: hashFromHex(settlement) };
}

function record({
  from,
  to,
  amount,
  settlement,
}: Pick<HoldRecord, 'from' | 'to' | 'amount' | 'settlement'>): HoldRecord {
  const lower = (address: Hex): Hex => `0x${address.slice(2).toLowerCase()}`;
  return { status: 'held', closedBlock: 0, from: lower(from), to: lower(to), amount, settlement };
}
