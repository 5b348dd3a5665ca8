import type { Entry, Genesis, Hash, Phase, SignedCall } from '@linkspan/protocol';

/** A call exactly as the ledger accepted it, with the Merkle path of its batch, and where it stands. `time` is the block's, in UTC milliseconds. */
export type ArchivedCall = {
  readonly block: number;
  readonly time: number;
  /** Its place among the accepted calls of the block, from 0. */
  readonly index: number;
  readonly call: SignedCall;
};

/**
 * One settlement, or a proposal that never became one: every accepted call about it in the order of the ledger, and what came of them.
 * `asked` is what the file is about; `context` is there only because the replay of another one depends on it.
 */
export type SettlementEvidence = {
  readonly role: 'asked' | 'context';
  readonly proposal: Hash;
  readonly settlement: Hash | null;
  readonly tradeId: string;
  readonly calls: readonly ArchivedCall[];
  readonly entries: readonly Entry[];
  readonly head: Hash;
  readonly phase: Phase;
};

/**
 * Which kind of ledger the file was written from, and what its own word adds to the signatures in the file. The text is for whoever reads
 * the file itself; a verifier tells what it knows of the kind.
 */
export type EvidenceHost = { readonly kind: string; readonly proves: string };

/**
 * The blocks of a Fabric channel that the calls were in, and its configuration blocks: whole, `content` in base64, by ascending numbers. This package knows
 * nothing of their inside; the ledger package verifies them.
 */
export type FabricBlocks = {
  readonly chaincode: string;
  readonly blocks: readonly { readonly number: number; readonly content: string }[];
};

/**
 * The evidence file `audit/1`. `environment` are the accepted calls that registered what settlements refer to, from the genesis on.
 * Everything in it can be recomputed from the signed calls; the rest is there so that a reader sees at once what is claimed.
 */
export type Evidence = {
  readonly schema: 'audit/1';
  readonly network: Hash;
  readonly genesis: Genesis;
  readonly host: EvidenceHost;
  readonly environment: readonly ArchivedCall[];
  readonly settlements: readonly SettlementEvidence[];
  /** Only where the ledger is Fabric. */
  readonly fabric?: FabricBlocks;
};

export const EMBEDDED_HOST: EvidenceHost = {
  kind: 'embedded',
  proves:
    'Calls, statements and certificates prove themselves by their signatures. Times and the order of calls are the operator’s word, except where a certificate signed by a quorum pins the history before it. Nothing shows that no later call was left out.',
};

export const FABRIC_HOST: EvidenceHost = {
  kind: 'fabric',
  proves:
    'Calls, statements and certificates prove themselves by their signatures. Times and the order of calls are the channel’s, on which endorsing organisations and orderers agreed. Their signatures are on the blocks in the member `fabric`; without it, times and order are the word of the organisation that wrote the file, except where a certificate signed by a quorum pins the history before it. Nothing shows that no later call was left out.',
};

/** The kinds of ledger that this program knows. */
export const HOSTS: readonly EvidenceHost[] = [EMBEDDED_HOST, FABRIC_HOST];

/** Larger files are refused before they are parsed. In UTF-16 code units. */
export const MAXIMUM_FILE_LENGTH = 256 * 1024 * 1024;
/** Nested deeper than any call is. */
export const MAXIMUM_DEPTH = 32;
export const MAXIMUM_SETTLEMENTS = 20_000;
/** Fabric blocks in one file. */
export const MAXIMUM_BLOCKS = 200_000;
/** Calls in one file. */
export const MAXIMUM_CALLS = 1_000_000;
