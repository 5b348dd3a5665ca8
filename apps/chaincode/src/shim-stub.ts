/** What this chaincode uses of the stub that `fabric-shim` gives it for one transaction. `handler` is its connection to the peer. */
export type ShimStub = {
  /** As bytes, which the package's types leave out. */
  getBufferArgs?(): Uint8Array[];
  getChannelID(): string;
  getTxID(): string;
  /** The proposal's timestamp, set by whoever proposed. */
  getDateTimestamp(): Date;
  getStateByRange(startKey: string, endKey: string): Promise<RangeIterator>;
  setEvent(name: string, payload: Uint8Array): void;
  readonly handler?: unknown;
};

export type RangeIterator = {
  next(): Promise<{ readonly done: boolean; readonly value: { readonly key: string; readonly value: Uint8Array } }>;
  close(): Promise<unknown>;
};
