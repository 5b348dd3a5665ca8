import { Fault } from '@linkspan/protocol';

/** What a failed use of the storage means: a fault of the surroundings that may pass, or stored data that does not hold together. */
export function storageFault(error: unknown, doing: string, mayHaveHappened = false): Fault {
  if (error instanceof Fault) return error;
  if (CORRUPT.has(primaryCode(error))) return corruptFault(`${doing}: the file is damaged`, error);
  return new Fault('storage-unavailable', `The ledger's storage failed while ${doing}.`, {
    cause: error,
    mayHaveHappened,
  });
}

/** Stored data that contradicts itself. Nothing is served from it; `verifyChain` finds how far it goes. */
export function corruptFault(what: string, cause?: unknown): Fault {
  return new Fault('storage-corrupt', `The stored ledger does not hold together (${what}).`, { cause });
}

/** Whether another connection holds the lock (SQLITE_BUSY). */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === 5;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const CORRUPT: ReadonlySet<number> = new Set([11, 26]);

/** The primary result code (sqlite.org/rescode.html) of an error by node:sqlite; -1 for other errors. */
function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return -1;
  return error.errcode & 0xff;
}
