import type { SQLOutputValue } from 'node:sqlite';
import { type Hash, hashFromBytes } from '@linkspan/protocol';
import { corruptFault } from './storage-fault.ts';

/** A row as node:sqlite gives it. What is read below throws a Fault `storage-corrupt` for another type. */
export type Row = Record<string, SQLOutputValue>;

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw corruptFault(`${column} is not an integer`);
  return value;
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw corruptFault(`${column} is not a text`);
  return value;
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw corruptFault(`${column} is no bytes`);
  return value;
}

export function hashIn(row: Row, column: string): Hash {
  const value = bytes(row, column);
  if (value.length !== 32) throw corruptFault(`${column} is not a hash`);
  return hashFromBytes(value);
}
