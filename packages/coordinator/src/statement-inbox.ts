import type { Ledger } from '@linkspan/ledger';
import { checkStatement, type Hash, type SignedStatement, type Verify } from '@linkspan/protocol';
import { findOperation, type OperationState } from '@linkspan/scenario';
import type { Log } from './clock.ts';
import type { Tracked } from './tracked.ts';

/** Statements that came before this node shows what they are about: per settlement, and settlements. The oldest make way. */
const MAXIMUM_EARLY_STATEMENTS = 32;
const MAXIMUM_EARLY_SETTLEMENTS = 1000;

export type StatementInboxParts = {
  readonly ledger: Ledger;
  readonly verify: Verify;
  readonly log: Log;
  readonly tracked: (proposal: Hash) => Tracked | undefined;
  /** Takes a statement that proved itself. */
  readonly accept: (proposal: Hash, signed: SignedStatement) => void;
};

/**
 * Statements that other organisations want written. The contract checks them again; they are checked here so that a forged one takes nobody's
 * place and costs no ledger transaction.
 */
export class StatementInbox {
  readonly #parts: StatementInboxParts;
  readonly #early = new Map<Hash, SignedStatement[]>();

  constructor(parts: StatementInboxParts) {
    this.#parts = parts;
  }

  async receive(proposal: Hash, statements: readonly SignedStatement[]): Promise<void> {
    for (const signed of statements) await this.#take(proposal, signed);
  }

  /** The ledger shows a newer state: what came early may have its operation now. */
  async follow(proposal: Hash, tracked: Tracked | undefined): Promise<void> {
    const early = this.#early.get(proposal);
    if (!early) return;
    this.#early.delete(proposal);
    if (tracked) await this.receive(proposal, early);
  }

  async #take(proposal: Hash, signed: SignedStatement): Promise<void> {
    const { tracked, accept, log } = this.#parts;
    const settlement = tracked(proposal);
    const operation = settlement && findOperation(settlement.view.state, signed.statement.operation);
    if (!settlement || !operation) return this.#keepEarly(proposal, signed);
    if (operation.status !== 'requested') return;
    try {
      if (await this.#proves(settlement, operation, signed)) accept(proposal, signed);
    } catch (error) {
      log('warn', 'a statement could not be checked; its sender still has it', { proposal, error: String(error) });
    }
  }

  async #proves(
    { view: { state } }: Tracked,
    { system: id }: OperationState,
    signed: SignedStatement,
  ): Promise<boolean> {
    const { ledger, verify, log } = this.#parts;
    const system = await ledger.evaluate('system', { id });
    if (!system.ok || !system.value || state.settlement === null) return false;
    const { keys, threshold } = system.value.validators;
    const { network, settlement } = state;
    const checked = checkStatement(verify, signed, { network, settlement, system: id, keys, suspended: [], threshold });
    if (!checked.ok) log('warn', `a statement was dropped: ${checked.refusal.message}`, { proposal: state.proposal });
    return checked.ok;
  }

  #keepEarly(proposal: Hash, signed: SignedStatement): void {
    const early = this.#early.get(proposal) ?? [];
    if (early.length >= MAXIMUM_EARLY_STATEMENTS) early.shift();
    early.push(signed);
    this.#early.set(proposal, early);
    if (this.#early.size <= MAXIMUM_EARLY_SETTLEMENTS) return;
    for (const oldest of this.#early.keys()) return void this.#early.delete(oldest);
  }
}
