import type { Position, ReadingQuery } from '@linkspan/plugin';
import { type BalancesBody, checkCurrency, Fault, formatAmount } from '@linkspan/protocol';
import type { Known } from './directory.ts';

/** A connected system of this organisation, as it can be read: what a Verifier offers. */
export type SystemReader = {
  readonly system: string;
  read(query: ReadingQuery, signal: AbortSignal): Promise<{ readonly positions: readonly Position[] }>;
};

type SystemBalances = BalancesBody['systems'][number];

/** The positions of every system. One that gives no answer in time is listed with its problem, beside the answers of the others. */
export async function readBalances(
  readers: readonly SystemReader[],
  known: Known,
  timeoutMs: number,
): Promise<BalancesBody> {
  return { systems: await Promise.all(readers.map((reader) => readSystem(reader, known, timeoutMs))) };
}

async function readSystem(reader: SystemReader, known: Known, timeoutMs: number): Promise<SystemBalances> {
  const { system } = reader;
  try {
    const { positions } = await reader.read({ type: 'balances' }, AbortSignal.timeout(timeoutMs));
    return { system, positions: positions.map((position) => positionBody(system, position, known)), problem: null };
  } catch (error) {
    // Anything else than a fault is a defect of ours, and hiding it would show an empty system.
    if (!(error instanceof Fault)) throw error;
    return { system, positions: [], problem: error.message };
  }
}

function positionBody(
  system: string,
  { account, asset, balance, held }: Position,
  known: Known,
): SystemBalances['positions'][number] {
  const id = `${system}:${account}`;
  const write = (amount: bigint): string => amountIn(amount, asset);
  return {
    account: id,
    party: known.partyOfAccount.get(id)?.name ?? null,
    asset,
    balance: write(balance),
    held: write(held),
    free: write(balance - held),
  };
}

/** Securities are counted in whole units, and so is what ISO 4217 does not know. */
function amountIn(amount: bigint, asset: string): string {
  return checkCurrency(asset).ok ? formatAmount(amount, asset) : String(amount);
}
