import type { Creator } from './identity.ts';

/** What this chaincode uses of the stub that `fabric-shim` gives it for one transaction. */
export type ShimStub = {
  getStringArgs(): string[];
  getTxID(): string;
  getCreator(): Creator;
  getState(key: string): Promise<Uint8Array>;
  putState(key: string, value: Uint8Array): Promise<void>;
  deleteState(key: string): Promise<void>;
  getStateByRange(startKey: string, endKey: string): Promise<RangeIterator>;
  setEvent(name: string, payload: Uint8Array): void;
};

export type RangeIterator = {
  next(): Promise<{ readonly done: boolean; readonly value: { readonly key: string; readonly value: Uint8Array } }>;
  close(): Promise<unknown>;
};
