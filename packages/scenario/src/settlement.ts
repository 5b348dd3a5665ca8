import {
  type Attention,
  type Difference,
  documentHash,
  type Field,
  type Hash,
  type Phase,
  type Terms,
  type Verb,
} from '@linkspan/protocol';

/** The version of the machine; each entry records the one that made it. */
export const MACHINE = 1;

/** Why an operation exists: it prepares, it is the pivot, it completes, or it undoes another. */
export type Purpose = 'prepare' | 'pivot' | 'complete' | 'inverse';

/** `irregular`: it took effect, but with terms that differ from what was asked or that a guard refuses. */
export type OperationStatus = 'requested' | 'effective' | 'irregular' | 'dead';

export type OperationState = {
  readonly id: Hash;
  readonly stage: string;
  readonly name: string;
  readonly leg: number;
  readonly verb: Verb;
  readonly attempt: number;
  readonly purpose: Purpose;
  readonly system: string;
  /** What is asked. */
  readonly terms: Terms;
  /** What must be read back for the effect to be regular. */
  readonly expected: Terms;
  readonly residual: string | null;
  readonly status: OperationStatus;
  /** Requested and no longer wanted: it must be fenced, and undone if it had taken effect. */
  readonly fenced: boolean;
  readonly requestedAt: number;
  /** A further attempt waits until then. */
  readonly notBefore: number;
  /** Past it an executor fences instead of submitting. */
  readonly notAfter: number | null;
  readonly readBack: Terms;
  readonly reason: string;
  readonly transaction: string;
  readonly byPeople: boolean;
};

/** One organisation's copy of the instruction. */
export type Copy = {
  readonly organisation: string;
  readonly hash: Hash;
  readonly deadline: number;
  readonly fields: readonly Field[];
};

/** What the contract knows about the surroundings of a settlement when its first copy is lodged. */
export type Opening = {
  readonly network: Hash;
  readonly epoch: number;
  readonly proposal: Hash;
  readonly round: number;
  readonly tradeId: string;
  readonly scenario: { readonly reference: string; readonly hash: Hash };
  readonly lodgers: readonly string[];
};

/** A system that a role is bound to, and the organisation that owns it. */
export type Participant = { readonly role: string; readonly system: string; readonly owner: string };

export type Decision = {
  readonly kind: 'commit' | 'abort';
  readonly because: string;
  /** The entry that decided. */
  readonly sequence: number;
  /** For an abort: the operations that were requested and unanswered, which anyone with the certificate may fence. */
  readonly inDoubt: readonly Hash[];
  /** The holds that had taken effect: the ones that a commit executes and an abort releases. */
  readonly holds: readonly Hash[];
};

export type Opinion = {
  readonly operation: Hash;
  readonly organisation: string;
  readonly actor: string;
  readonly status: 'effective' | 'dead';
};

/** Everything that is known about one trade from its first copy to its end. Only the machine makes a next one. */
export type Settlement = Opening & {
  readonly machine: number;
  readonly settlement: Hash | null;
  readonly phase: Phase;
  /** Index of the current stage in the document; -1 while proposed. */
  readonly stage: number;
  /** UTC milliseconds; while proposed the earliest that was lodged. */
  readonly deadline: number;
  /** Time of the last entry. */
  readonly time: number;
  /** Number of entries. */
  readonly sequence: number;
  readonly copies: readonly Copy[];
  readonly differences: readonly Difference[];
  readonly instruction: Hash | null;
  readonly fields: readonly Field[];
  readonly participants: readonly Participant[];
  readonly operations: readonly OperationState[];
  readonly proceed: { readonly sequence: number; readonly holds: readonly Hash[] } | null;
  readonly fence: { readonly sequence: number; readonly pivot: Hash } | null;
  readonly decision: Decision | null;
  readonly cancels: readonly string[];
  readonly opinions: readonly Opinion[];
  readonly residuals: readonly { readonly residual: string; readonly terms: Terms }[];
  readonly attention: readonly Attention[];
};

/** `earmark/fcy`, or `earmark/fcy release` for an inverse: how people and attention name an operation. */
export function operationName(operation: Pick<OperationState, 'stage' | 'name' | 'verb' | 'purpose' | 'leg'>): string {
  const leg = operation.leg === 0 ? '' : `[${operation.leg}]`;
  const base = `${operation.stage}/${operation.name}${leg}`;
  return operation.purpose === 'inverse' ? `${base} ${operation.verb}` : base;
}

export function findOperation(settlement: Settlement, id: Hash): OperationState | undefined {
  return settlement.operations.find((operation) => operation.id === id);
}

/**
 * Whether people's word still decides how an irregular effect counts. What was prepared is undone without asking, and so is the pivot
 * once an abort is decided: a second outcome would undo it twice.
 */
export function waitsForPeople({ phase }: Settlement, { status, purpose }: OperationState): boolean {
  if (status !== 'irregular') return false;
  return purpose === 'complete' || purpose === 'inverse' || (purpose === 'pivot' && phase === 'deciding');
}

/**
 * The hash of a state. What is as large as it is constant stands in it by its hash: instructions, which their own hashes name, and each
 * operation's text, so that an entry costs what it changed.
 */
export function stateHash(settlement: Settlement): Hash {
  const { fields: _, copies, operations, ...rest } = settlement;
  const parts = {
    ...rest,
    copies: copies.map(({ organisation, hash, deadline }) => ({ organisation, hash, deadline })),
    operations: operations.map(documentHash),
  };
  return documentHash(parts);
}
