import assert from 'node:assert/strict';
import {
  type Change,
  type ErrorCode,
  hashOf,
  type Phase,
  type ScenarioDocument,
  scenarioHash,
  type Terms,
} from '@linkspan/protocol';
import {
  type MachineEvent,
  operationName,
  type OperationState,
  type Settlement,
  start,
  transition,
} from '@linkspan/scenario';
import { familyFields, hashOfFamilyFields } from './scenario-family.ts';
import { checkState, checkStep } from './settlement-invariants.ts';

const BEGIN = 1_800_000_000_000;

/** One settlement taken by hand from event to event. Every step keeps the invariants, or the step fails. */
export class SettlementRun {
  settlement: Settlement;
  /** What the last accepted event changed. */
  changes: readonly Change[] = [];
  /** The ledger's time, in UTC milliseconds. */
  time = BEGIN;
  readonly deadline = BEGIN + 60_000;
  readonly #document: ScenarioDocument;

  constructor(document: ScenarioDocument) {
    this.#document = document;
    const scenario = { reference: 'family@1', hash: scenarioHash(document) };
    const lodgers = ['bank-a', 'bank-b'];
    this.settlement = start({
      network: hashOf('network'),
      epoch: 1,
      proposal: hashOf('proposal'),
      round: 1,
      tradeId: 'T',
      scenario,
      lodgers,
    });
  }

  get phase(): Phase {
    return this.settlement.phase;
  }

  /** Equal copies of both sides: the settlement prepares. */
  match(): this {
    return this.lodge('bank-a').lodge('bank-b');
  }

  lodge(organisation: string, mark = 'one', deadline = this.deadline): this {
    return this.event(this.#lodging(organisation, mark, deadline));
  }

  /** The outcome of the operation with this name (`prepare-1/bond`, `prepare-1/bond release`), by its last attempt. */
  answer(
    name: string,
    status: 'effective' | 'dead' | 'irregular',
    more: { byPeople?: boolean; terms?: Terms } = {},
  ): this {
    const { id, expected } = this.operation(name);
    const [first] = Object.keys(expected);
    const terms = status === 'irregular' && first !== undefined ? { ...expected, [first]: 'something else' } : expected;
    const dead = status === 'dead';
    return this.event({
      type: 'outcome',
      operation: id,
      status: dead ? 'dead' : 'effective',
      terms: dead || more.byPeople ? {} : (more.terms ?? terms),
      reason: dead ? 'MONY' : '',
      transaction: dead ? '' : 'tx',
      byPeople: more.byPeople ?? false,
    });
  }

  /** Everything that is open takes effect as it was asked. */
  answerAll(): this {
    for (const operation of this.settlement.operations.filter(({ status }) => status === 'requested'))
      this.answer(operationName(operation), 'effective');
    return this;
  }

  expire(): this {
    return this.event({ type: 'expire' });
  }

  cancel(organisation: string): this {
    return this.event({ type: 'cancel', organisation });
  }

  /** An event that must be accepted. */
  event(event: MachineEvent): this {
    const before = this.settlement;
    const result = transition(this.#document, before, event, this.time);
    assert.ok(result.ok, result.ok ? '' : `${result.refusal.code}: ${result.refusal.message}`);
    this.settlement = result.value.settlement;
    this.changes = result.value.changes;
    checkStep(before, this.settlement, this.changes);
    checkState(this.#document, this.settlement);
    return this;
  }

  /** The code with which an event is refused. */
  refusal(event: MachineEvent): ErrorCode {
    const result = transition(this.#document, this.settlement, event, this.time);
    assert.ok(!result.ok, `${event.type} was accepted`);
    return result.refusal.code;
  }

  operation(name: string): OperationState {
    const found = this.settlement.operations.findLast((operation) => operationName(operation) === name);
    assert.ok(found, `no operation ${name} among ${this.settlement.operations.map(operationName).join(', ')}`);
    return found;
  }

  /** Open operations by name; `!` marks those that must be fenced. */
  open(): string[] {
    const open = this.settlement.operations.filter(({ status }) => status === 'requested');
    return open.map((operation) => `${operation.fenced ? '!' : ''}${operationName(operation)}`);
  }

  /** Why people are asked to look: `reason about operation`. */
  attention(): string[] {
    return this.settlement.attention.map(({ reason, operation }) => `${reason} about ${operation}`);
  }

  #lodging(organisation: string, mark: string, deadline: number): MachineEvent {
    const fields = familyFields(deadline, mark);
    return {
      type: 'lodge',
      copy: { organisation, hash: hashOfFamilyFields(fields), deadline, fields },
      participants: [],
    };
  }
}
