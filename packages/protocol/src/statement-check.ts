import type { Hash } from './hash.ts';
import { accept, refuse, type Result } from './refusal.ts';
import { type SigningKey, type Verify, verifyBatchSignature } from './signature.ts';
import type { SignedStatement, Statement, Verified } from './statement.ts';

/** What a statement must be about, and whose word counts. */
export type StatementExpectation = {
  readonly network: Hash;
  readonly settlement: Hash;
  readonly system: string;
  readonly keys: readonly SigningKey[];
  readonly suspended: readonly SigningKey[];
  readonly threshold: number;
};

/**
 * The one place where a signed statement becomes a verified one: it must be for this network, settlement and system, and carry right
 * signatures of at least `threshold` distinct validator keys. Any wrong signature refuses the whole, so that nobody can hide one among others.
 */
export function checkStatement(
  verify: Verify,
  signed: SignedStatement,
  expected: StatementExpectation,
): Result<Verified<Statement>> {
  const { statement, signatures } = signed;
  if (statement.network !== expected.network)
    return refuse('statement-other-network', 'The statement is for another network.');
  if (statement.settlement !== expected.settlement)
    return refuse('statement-other-settlement', 'The statement is for another settlement.');
  if (statement.system !== expected.system) {
    return refuse(
      'statement-other-system',
      `The statement is about ${statement.system}; the operation is on ${expected.system}.`,
    );
  }
  const keys = new Set<SigningKey>();
  for (const signature of signatures) {
    if (!expected.keys.includes(signature.key)) {
      return refuse('statement-key-unknown', `${signature.key} is no validator key of ${expected.system}.`);
    }
    if (expected.suspended.includes(signature.key))
      return refuse('statement-key-suspended', `${signature.key} is suspended.`);
    if (!verifyBatchSignature(verify, statement, signature)) {
      return refuse('statement-signature-invalid', `The signature by ${signature.key} does not fit the statement.`);
    }
    keys.add(signature.key);
  }
  if (keys.size < expected.threshold) {
    return refuse(
      'statement-too-few',
      `${keys.size} validators of ${expected.system} signed; ${expected.threshold} are needed.`,
    );
  }
  return accept(markVerified(statement));
}

// The one constructor of the brand: its only caller has checked every signature.
function markVerified(statement: Statement): Verified<Statement> {
  return statement as Verified<Statement>;
}
