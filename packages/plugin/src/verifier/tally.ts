import {
  canonicalText,
  checkStatement,
  type Operation,
  refuse,
  type Result,
  type SignedStatement,
  type SigningKey,
  type Statement,
  type StatementExpectation,
  type Verified,
  type Verify,
} from '@linkspan/protocol';

/** What a Verifier found out about an operation. Nothing but `accepted` may be acted on. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      readonly statement: Verified<Statement>;
      readonly signed: SignedStatement;
      /** What other keys said otherwise: evidence for an incident, not a reason to doubt what enough of them agree on. */
      readonly dissent: readonly SignedStatement[];
    }
  /** Different keys say different things, and no quorum can agree any more. */
  | { readonly kind: 'disagreement'; readonly statements: readonly [SignedStatement, SignedStatement] }
  /** One key said two different things about one operation. */
  | {
      readonly kind: 'equivocation';
      readonly key: SigningKey;
      readonly statements: readonly [SignedStatement, SignedStatement];
    };

/** Counts the statements of one system's validators about one operation. */
export type Tally = {
  /** Counts a validator's statement once it has been checked. Refused, with its code, when it is not that validator's about this operation. */
  add(key: SigningKey, said: SignedStatement): Result<Outcome | undefined>;
};

export type TallyOptions = {
  readonly verify: Verify;
  readonly operation: Operation;
  readonly expected: Omit<StatementExpectation, 'settlement'>;
  /** What keys said before, over more than one asking. */
  readonly said: StatementMemory;
};

export function createTally({ verify, operation, expected, said }: TallyOptions): Tally {
  const expectation = { ...expected, settlement: operation.settlement };
  const groups = new Map<string, SignedStatement>();
  const counted = new Set<SigningKey>();
  let accepted: string | undefined;

  return {
    add(key, signed) {
      const name = canonicalText(signed.statement);
      // Late agreement changes nothing, so it is not worth the check of a signature. Late contradiction is.
      if (name === accepted) return { ok: true, value: undefined };
      if (signed.statement.operation !== operation.id) {
        return refuse(
          'statement-other-operation',
          `The statement is about ${signed.statement.operation}, asked was ${operation.id}.`,
        );
      }
      // Each is checked alone against the key of the validator that was asked, so one bad answer never spoils the others.
      const checked = checkStatement(verify, signed, { ...expectation, keys: [key], threshold: 1 });
      if (!checked.ok) return checked;
      const before = said.remember(key, signed);
      if (before) return { ok: true, value: { kind: 'equivocation', key, statements: [before, signed] } };
      counted.add(key);
      const group = groups.get(name);
      const others = group?.signatures.filter((one) => one.key !== key) ?? [];
      groups.set(name, { statement: signed.statement, signatures: [...others, ...signed.signatures.slice(0, 1)] });
      return decide();
    },
  };

  function decide(): Result<Outcome | undefined> {
    const byCount = [...groups.values()].toSorted((a, b) => b.signatures.length - a.signatures.length);
    const [most, next] = byCount;
    if (!most) return { ok: true, value: undefined };
    if (most.signatures.length >= expected.threshold) {
      const signatures = most.signatures.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      const signed = { statement: most.statement, signatures };
      const checked = checkStatement(verify, signed, expectation);
      accepted = canonicalText(most.statement);
      return checked.ok
        ? { ok: true, value: { kind: 'accepted', statement: checked.value, signed, dissent: byCount.slice(1) } }
        : checked;
    }
    const silent = expected.keys.filter((key) => !counted.has(key) && !expected.suspended.includes(key)).length;
    if (next && most.signatures.length + silent < expected.threshold) {
      return { ok: true, value: { kind: 'disagreement', statements: [most, next] } };
    }
    return { ok: true, value: undefined };
  }
}

/** The last statement of each key about each operation, as many as fit. */
export type StatementMemory = {
  /** Keeps the statement; gives back an earlier one of the same key about the same operation that differs. */
  remember(key: SigningKey, signed: SignedStatement): SignedStatement | undefined;
};

export function createStatementMemory(most: number): StatementMemory {
  const kept = new Map<string, SignedStatement>();
  return {
    remember(key, signed) {
      const name = `${key} ${signed.statement.operation}`;
      const before = kept.get(name);
      if (before) return canonicalText(before.statement) === canonicalText(signed.statement) ? undefined : before;
      kept.set(name, signed);
      if (kept.size > most) for (const oldest of kept.keys()) return void kept.delete(oldest);
      return undefined;
    },
  };
}
