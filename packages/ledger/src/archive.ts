import type { Hash, SignedCall } from '@linkspan/protocol';
import type { Ledger } from './ledger.ts';

/** A call exactly as the ledger accepted it, and where it stands. `time` is the block's, in UTC milliseconds. */
export type ArchivedCall = {
  readonly block: number;
  readonly time: number;
  /** Its place among the accepted calls of the block, from 0. */
  readonly index: number;
  readonly call: SignedCall;
};

/**
 * Whole Fabric blocks, `content` in base64, as far as they prove something, in their order: the header, every transaction, the orderers' signatures and the
 * peer's validation codes. The channel's configuration blocks are among them, from the first one on.
 */
export type ArchivedBlocks = {
  readonly chaincode: string;
  readonly blocks: readonly { readonly number: number; readonly content: string }[];
};

/** A place in a period, to go on from; what it holds is the host's business. */
export type ArchiveCursor = string;

/**
 * The accepted calls of a ledger, for those who prove its history. A call that was accepted again is there once, where it was first. All
 * answers are in the order of the ledger. The cost of an answer follows from its own size, not from how long the ledger has become.
 */
export interface Archive {
  /** The kind of ledger, which says what its order and times are worth. */
  readonly host: 'embedded' | 'fabric';
  /** Calls by their ids; ids that the ledger never accepted are passed over. */
  calls(ids: readonly Hash[]): Promise<readonly ArchivedCall[]>;
  /** Every call about a proposal or the settlement that it became, also those that made no entry. */
  about(proposal: Hash): Promise<readonly ArchivedCall[]>;
  /** Calls about no settlement: genesis, registrations, scenarios. Up to and with a block where one is given. */
  environment(upTo?: number): Promise<readonly ArchivedCall[]>;
  /** Calls that report contradicting statements, up to and with a block: they may have suspended keys that others signed with. */
  reports(upTo: number): Promise<readonly ArchivedCall[]>;
  /** What proves that calls at these places were ordered and endorsed; null where the kind of ledger has nothing of the sort. */
  blocks(checkpoints: readonly number[]): Promise<ArchivedBlocks | null>;
  /** The proposals with a call at `from` ≤ time < `to` (UTC milliseconds), each once, by the first of these calls. */
  period(
    from: number,
    to: number,
    page: { readonly limit: number; readonly after?: ArchiveCursor | undefined },
  ): Promise<{ readonly proposals: readonly Hash[]; readonly next: ArchiveCursor | null }>;
}

/** A ledger whose accepted calls can be asked for. */
export interface ArchivedLedger extends Ledger {
  readonly archive: Archive;
}
