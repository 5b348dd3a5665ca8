import {
  accept,
  type AccountRecord,
  type Certificate,
  type CertificateShare,
  CERTIFICATE_KINDS,
  documentHash,
  ENDS,
  type Entry,
  flatten,
  type Hash,
  type InstrumentRecord,
  type Json,
  type PartyRecord,
  type Phase,
  type Problem,
  refuse,
  type RegisteredScenario,
  type Result,
  type SigningKey,
  systemOfAccount,
  type SystemRecord,
} from '@linkspan/protocol';
import { certificateOf, sequenceOf, type Settlement, unansweredAfterMs } from '@linkspan/scenario';
import { epochsInForce } from './epochs.ts';
import { checkAll, documentOf } from './instructions.ts';
import {
  changeViews,
  type ChangeView,
  epochViews,
  type EpochView,
  networkView,
  type NetworkView,
} from './network-queries.ts';
import {
  ACCOUNT,
  BY_OPENING,
  BY_SETTLEMENT,
  BY_TRADE,
  ENTRY,
  EPOCH,
  INSTRUMENT,
  NETWORK,
  OPEN,
  PARTY,
  REQUEST,
  SCENARIO,
  SETTLEMENT,
  SIGNATURES,
  SUSPENDED,
  type StoredNetwork,
  type StoredSettlement,
  SYSTEM,
  type Table,
} from './store.ts';
import type { Reader, Stored } from './world.ts';

/** A settlement with what its current entries call for and the signatures that the ledger has for it. */
export type SettlementView = {
  readonly state: Settlement;
  readonly head: Hash;
  readonly certificates: readonly Certificate[];
  readonly shares: readonly CertificateShare[];
  /** After how long without an answer the settlement's scenario has people told, in milliseconds. */
  readonly unansweredAfterMs: number;
};

export type SettlementSummary = {
  readonly proposal: Hash;
  readonly settlement: Hash | null;
  readonly tradeId: string;
  readonly scenario: string;
  readonly phase: Phase;
  readonly openedAt: number;
  readonly changedAt: number;
  readonly deadline: number;
  readonly attention: number;
};

export type RegisterView = {
  readonly systems: readonly SystemRecord[];
  readonly parties: readonly PartyRecord[];
  readonly accounts: readonly AccountRecord[];
  readonly instruments: readonly InstrumentRecord[];
  readonly scenarios: readonly RegisteredScenario[];
};

/**
 * Which settlements are wanted: in a phase, with a party (by its LEI), with an account in a system, opened from one instant until before another
 * (UTC milliseconds). While the copies differ, those of any of them count.
 */
export type SettlementFilter = {
  readonly phase?: Phase | undefined;
  readonly party?: string | undefined;
  readonly system?: string | undefined;
  readonly openedFrom?: number | undefined;
  readonly openedTo?: number | undefined;
};

type NoArguments = Readonly<Record<string, never>>;

/** Every question that can be asked of the ledger. */
export type Queries = {
  network: {
    args: NoArguments;
    answer: NetworkView | null;
  };
  /** Every epoch that a change has made, oldest first, as systems install it. */
  epochs: { args: NoArguments; answer: readonly EpochView[] };
  /** Every change that was ever proposed, with who approves it. */
  changes: { args: NoArguments; answer: readonly ChangeView[] };
  register: { args: NoArguments; answer: RegisterView };
  system: { args: { readonly id: string }; answer: SystemRecord | null };
  /** Validator keys of a system whose word counts no more. */
  suspended: { args: { readonly id: string }; answer: readonly SigningKey[] };
  'check-instruction': { args: { readonly instruction: Json }; answer: readonly Problem[] };
  /** By proposal or settlement id. */
  settlement: { args: { readonly id: string }; answer: SettlementView };
  /** All that have had this trade id, oldest first. */
  'by-trade-id': { args: { readonly tradeId: string }; answer: readonly Hash[] };
  /** Newest first; `before` is a cursor from an earlier page. */
  settlements: {
    args: SettlementFilter & { readonly limit: number; readonly before?: string | undefined };
    answer: { readonly settlements: readonly SettlementSummary[]; readonly next: string | null };
  };
  /** Proposals and settlements that have not ended, after a proposal id. */
  open: { args: { readonly after?: Hash | undefined; readonly limit: number }; answer: readonly Hash[] };
  history: {
    args: { readonly id: string; readonly after?: number | undefined; readonly limit: number };
    answer: readonly Entry[];
  };
  request: {
    args: { readonly organisation: string; readonly client: string; readonly key: string };
    answer: { readonly body: Hash } | null;
  };
};
export type QueryType = keyof Queries;

/** No page is larger. */
export const MAXIMUM_PAGE = 500;
const MAXIMUM_REGISTER = 10_000;

export function runQuery<T extends QueryType>(
  reader: Reader,
  type: T,
  args: Queries[T]['args'],
): Result<Queries[T]['answer']> {
  return ANSWERS[type](reader, args);
}

type Answers = {
  readonly [T in QueryType]: (reader: Reader, args: Queries[T]['args']) => Result<Queries[T]['answer']>;
};

const ANSWERS: Answers = {
  network: (reader) => accept(networkView(reader)),
  epochs: (reader) => accept(epochViews(reader)),
  changes: (reader) => accept(changeViews(reader)),
  register: (reader) =>
    accept({
      systems: all(reader, SYSTEM),
      parties: all(reader, PARTY),
      accounts: all(reader, ACCOUNT),
      instruments: all(reader, INSTRUMENT),
      scenarios: all(reader, SCENARIO),
    }),
  system: (reader, { id }) => accept(SYSTEM.get(reader, id) ?? null),
  suspended: (reader, { id }) => accept(SUSPENDED.get(reader, id)?.keys ?? []),
  'check-instruction': (reader, { instruction }) =>
    accept(checkAll(reader, instruction, fieldsOf(instruction), reader.time).problems),
  settlement: (reader, { id }) => {
    const stored = find(reader, id);
    return stored ? accept(viewOf(reader, stored)) : refuse('not-found', `There is no settlement ${id}.`);
  },
  'by-trade-id': (reader, { tradeId }) => {
    const prefix = `${BY_TRADE.key(tradeId)}/`;
    const links = [...reader.range(prefix, { limit: MAXIMUM_PAGE })].map(
      ([, stored]) => BY_TRADE.read(stored).proposal,
    );
    const opened = links.map((proposal) => ({ proposal, time: SETTLEMENT.get(reader, proposal)?.state.round ?? 0 }));
    return accept(opened.toSorted((a, b) => a.time - b.time).map(({ proposal }) => proposal));
  },
  settlements: (reader, args) => accept(listSettlements(reader, args)),
  open: (reader, { after, limit }) => {
    const options = { limit: page(limit), ...(after === undefined ? {} : { after: OPEN.key(after) }) };
    return accept([...reader.range(OPEN.prefix, options)].map(([, stored]) => OPEN.read(stored).proposal));
  },
  history: (reader, { id, after, limit }) => {
    const stored = find(reader, id);
    if (!stored) return refuse('not-found', `There is no settlement ${id}.`);
    const { proposal } = stored.state;
    const options = { limit: page(limit), after: ENTRY.key(proposal, after ?? 0) };
    return accept([...reader.range(`${ENTRY.key(proposal)}/`, options)].map(([, entry]) => ENTRY.read(entry)));
  },
  request: (reader, { organisation, client, key }) => accept(REQUEST.get(reader, organisation, client, key) ?? null),
};

function all<T extends Stored>(reader: Reader, table: Table<T>): T[] {
  return [...reader.range(table.prefix, { limit: MAXIMUM_REGISTER })].map(([, stored]) => table.read(stored));
}

function page(limit: number): number {
  return Math.max(1, Math.min(limit, MAXIMUM_PAGE));
}

function fieldsOf(instruction: Json) {
  if (typeof instruction !== 'object' || instruction === null) return undefined;
  try {
    return flatten(instruction);
  } catch {
    return undefined;
  }
}

function find(reader: Reader, id: string): StoredSettlement | undefined {
  const link = BY_SETTLEMENT.get(reader, id);
  return SETTLEMENT.get(reader, link?.proposal ?? id);
}

function viewOf(reader: Reader, stored: StoredSettlement): SettlementView {
  const { state, head } = stored;
  const entries = CERTIFICATE_KINDS.flatMap((kind) => {
    const sequence = sequenceOf(state, kind);
    const entry = sequence === undefined ? undefined : ENTRY.get(reader, state.proposal, sequence);
    return entry ? [{ kind, entry }] : [];
  });
  const sequences = [...new Set(entries.map(({ entry }) => entry.sequence))];
  const shares = sequences.flatMap((sequence) => SIGNATURES.get(reader, state.proposal, sequence)?.shares ?? []);
  const certificates = entries.flatMap(({ kind, entry }) => {
    const head = documentHash(entry);
    const ofKind = shares.filter(({ certificate }) => certificate.kind === kind);
    return epochsOf(reader, state, ofKind).map((epoch) => certificateOf(state, kind, head, epoch));
  });
  return { state, head, certificates, shares, unansweredAfterMs: unansweredAfterMs(documentOf(reader, stored)) };
}

/**
 * The epochs under which a settlement's decision is certified: those with signatures on the ledger, and those in force, except where it has ended and its
 * certificate is complete.
 */
function epochsOf(reader: Reader, state: Settlement, shares: readonly CertificateShare[]): readonly number[] {
  const network = NETWORK.get(reader, 'genesis');
  const signed = shares.map(({ certificate }) => certificate.epoch);
  const isComplete = ENDS.includes(state.phase) && signed.some((epoch) => isQuorum(reader, network, epoch, shares));
  const wanted = isComplete || !network ? [] : epochsInForce(network).map(({ epoch }) => epoch);
  const epochs = [...new Set([...signed, ...wanted])];
  return epochs.length > 0 ? epochs.toSorted((a, b) => a - b) : [state.epoch];
}

/** Counted within an epoch: signatures of two epochs make no certificate together. */
function isQuorum(
  reader: Reader,
  network: StoredNetwork | undefined,
  epoch: number,
  shares: readonly CertificateShare[],
): boolean {
  const quorum = epoch === 1 ? network?.genesis.quorum : EPOCH.get(reader, epoch)?.quorum;
  const keys = new Set(shares.filter(({ certificate }) => certificate.epoch === epoch).map(({ key }) => key));
  return quorum !== undefined && keys.size >= quorum;
}

/**
 * Pages through settlements newest first. Times bound what is read; any other filter looks at a bounded number per page, so a page may be short
 * and still have a next one.
 */
function listSettlements(reader: Reader, args: Queries['settlements']['args']): Queries['settlements']['answer'] {
  const limit = page(args.limit);
  const isFiltered = [args.phase, args.party, args.system].some((each) => each !== undefined);
  const after = cursorOf(args);
  const options = {
    limit: isFiltered ? MAXIMUM_PAGE : limit,
    reverse: true,
    ...(after === undefined ? {} : { after }),
  };
  const settlements: SettlementSummary[] = [];
  let last: string | null = null;
  let seen = 0;
  for (const [key, stored] of reader.range(BY_OPENING.prefix, options)) {
    if (openedAt(key) < (args.openedFrom ?? 0)) return { settlements, next: null };
    last = key;
    seen += 1;
    const settlement = SETTLEMENT.get(reader, BY_OPENING.read(stored).proposal);
    if (settlement && isWanted(settlement, args)) settlements.push(summaryOf(settlement, key));
    if (settlements.length === limit) break;
  }
  return { settlements, next: seen < options.limit && settlements.length < limit ? null : last };
}

/** Whichever comes first in a list that goes back in time: the page before, or the end of the period. */
function cursorOf({ before, openedTo }: Queries['settlements']['args']): string | undefined {
  const end = openedTo === undefined ? undefined : BY_OPENING.key(openedTo);
  if (before === undefined || end === undefined) return before ?? end;
  return before < end ? before : end;
}

function isWanted({ state }: StoredSettlement, { phase, party, system }: SettlementFilter): boolean {
  if (phase !== undefined && state.phase !== phase) return false;
  const fields = [...state.fields, ...state.copies.flatMap((copy) => copy.fields)];
  if (party !== undefined && !fields.some(({ path, value }) => path.endsWith('/lei') && value === party)) return false;
  return (
    system === undefined ||
    fields.some(({ path, value }) => path.includes('/accounts/') && systemOfAccount(value) === system)
  );
}

function openedAt(key: string): number {
  return Number(key.slice(BY_OPENING.prefix.length).split('/')[0]);
}

function summaryOf({ state }: StoredSettlement, key: string): SettlementSummary {
  return {
    proposal: state.proposal,
    settlement: state.settlement,
    tradeId: state.tradeId,
    scenario: state.scenario.reference,
    phase: state.phase,
    openedAt: openedAt(key),
    changedAt: state.time,
    deadline: state.deadline,
    attention: state.attention.length,
  };
}
