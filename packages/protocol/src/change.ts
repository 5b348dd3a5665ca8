import type { Certificate, CertificateKind } from './certificate.ts';
import type { Hash } from './hash.ts';
import type { Terms, Verb } from './operation.ts';

/** Where a settlement stands. `rejected`, `settled` and `cancelled` are ends. */
export const PHASES = [
  'proposed',
  'preparing',
  'deciding',
  'committed',
  'aborting',
  'settled',
  'cancelled',
  'rejected',
] as const;
export type Phase = (typeof PHASES)[number];
export const ENDS: readonly Phase[] = ['settled', 'cancelled', 'rejected'];

/** A field that the organisations' copies of an instruction do not agree on. */
export type Difference = { readonly path: string; readonly values: Readonly<Record<string, string>> };

/** Why a settlement needs people to look, and whom it waits for. A flag, never a phase. */
export type Attention = {
  readonly reason: string;
  readonly waitingFor: string;
  readonly operation?: string | undefined;
};

type OperationChange = {
  readonly operation: string;
  readonly verb: Verb;
  readonly system: string;
  readonly terms: Terms;
};

/** One thing that an entry changed, for people and programs that watch. */
export type Change =
  | { readonly what: 'lodged' | 'retracted' | 'cancel-requested'; readonly organisation: string }
  | { readonly what: 'differs'; readonly differences: readonly Difference[] }
  | { readonly what: 'matched' }
  | ({ readonly what: 'requested' | 'fence-requested' } & OperationChange)
  | ({
      readonly what: 'effective' | 'irregular' | 'dead';
      readonly reason: string;
      readonly byPeople: boolean;
    } & OperationChange)
  | { readonly what: 'called-for'; readonly certificate: CertificateKind }
  | { readonly what: 'decided'; readonly decision: 'commit' | 'abort'; readonly because: string }
  | { readonly what: 'residual'; readonly residual: string; readonly terms: Terms }
  | { readonly what: 'attention'; readonly attention: Attention }
  | {
      readonly what: 'evidence';
      readonly kind: 'disagreement' | 'equivocation' | 'contradiction';
      readonly operation: string;
    }
  | {
      readonly what: 'opinion';
      readonly organisation: string;
      readonly actor: string;
      readonly operation: string;
      readonly status: 'effective' | 'dead';
    }
  | { readonly what: 'phase'; readonly from: Phase; readonly to: Phase };

/** One line of a settlement's history. `state` is the hash after it, `previous` the hash of the entry before it (null for the first). */
export type Entry = {
  readonly proposal: Hash;
  readonly settlement: Hash | null;
  readonly sequence: number;
  readonly time: number;
  readonly machine: number;
  readonly call: Hash;
  readonly by: { readonly organisation: string; readonly actor: string };
  readonly changes: readonly Change[];
  readonly state: Hash;
  readonly previous: Hash | null;
};

/** What the contract tells the world about one accepted call on a settlement. `certificates` are those that the entry calls for. */
export type SettlementEvent = {
  readonly proposal: Hash;
  readonly settlement: Hash | null;
  readonly tradeId: string;
  readonly sequence: number;
  readonly phase: Phase;
  readonly head: Hash;
  readonly changes: readonly Change[];
  readonly certificates: readonly Certificate[];
};
