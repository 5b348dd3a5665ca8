import assert from 'node:assert/strict';
import { applyCalls, runQuery, type SettlementView } from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import {
  type CallBody,
  type Certificate,
  type CertificateShare,
  type DvpInstruction,
  type Hash,
  hashSchema,
  type JsonObject,
  type Refusal,
  type Result,
  signCalls,
  signCertificates,
  type SignedCall,
  type SignedStatement,
  signOne,
  type Statement,
} from '@linkspan/protocol';
import { operationName, type OperationState } from '@linkspan/scenario';
import { MemoryWorld } from './memory-world.ts';
import { lodgeBody, sampleInstruction, type SampleNetwork, sampleNetwork } from './sample-network.ts';

/** The time at which scenes begin, in UTC milliseconds. */
export const SCENE_BEGIN = 1_800_000_000_000;

/** The contract over a world in memory, with the sample network registered, and everybody's keys at hand. */
export class ContractScene {
  readonly net: SampleNetwork;
  readonly world = new MemoryWorld(createVerify({ memoize: 10_000 }), SCENE_BEGIN);
  /** Every call that was submitted, each with its time. */
  readonly submitted: { readonly time: number; readonly calls: readonly SignedCall[] }[] = [];
  #nonce = 0;

  constructor(net = sampleNetwork()) {
    this.net = net;
    for (const result of this.submit(net.setUp())) assert.ok(result.ok, JSON.stringify(result));
  }

  /** One ledger transaction. */
  submit(calls: readonly SignedCall[]): Result<JsonObject>[] {
    this.submitted.push({ time: this.world.tx.time, calls });
    return applyCalls(this.world, calls);
  }

  /** A call under a nonce that no other has. */
  call(organisation: string, body: CallBody, actor = 'test'): SignedCall {
    this.#nonce += 1;
    const nonce = String(this.#nonce);
    const signer = this.signersOf(organisation)?.call;
    assert.ok(signer, `no organisation ${organisation}`);
    const [signed] = signCalls(signer, [{ schema: 'call/1', network: this.net.id, organisation, actor, nonce, body }]);
    assert.ok(signed);
    return signed;
  }

  do(organisation: string, body: CallBody): Result<JsonObject> {
    const [result] = this.submit([this.call(organisation, body)]);
    assert.ok(result);
    return result;
  }

  accepted(organisation: string, body: CallBody): JsonObject {
    const result = this.do(organisation, body);
    assert.ok(result.ok, JSON.stringify(result));
    return result.value;
  }

  /** The refusal of a call, which leaves nothing behind. */
  refused(organisation: string, body: CallBody): Refusal {
    const before = new Map(this.world.state);
    const result = this.do(organisation, body);
    assert.ok(!result.ok, `${body.type} was accepted`);
    assert.deepEqual(this.world.state, before, 'a refused call leaves nothing');
    return result.refusal;
  }

  instruction(tradeId: string, inMs = 60_000): DvpInstruction {
    return sampleInstruction(tradeId, SCENE_BEGIN, inMs);
  }

  /** Lodges one side's copy and gives the proposal. */
  lodge(organisation: string, instruction: DvpInstruction): Hash {
    return hashSchema.parse(this.accepted(organisation, lodgeBody(instruction))['proposal']);
  }

  /** Both sides lodge the same: the settlement prepares. */
  begin(tradeId: string): Hash {
    const instruction = this.instruction(tradeId);
    this.lodge('central-bank-a', instruction);
    return this.lodge('csd-b', instruction);
  }

  view(proposal: Hash): SettlementView {
    const found = runQuery(this.world, 'settlement', { id: proposal });
    assert.ok(found.ok);
    return found.value;
  }

  /** An operation by its name, its last attempt. */
  operation(proposal: Hash, name: string): OperationState {
    const found = this.view(proposal).state.operations.findLast((operation) => operationName(operation) === name);
    assert.ok(found, name);
    return found;
  }

  /** What honest validators say of an operation that took effect as it was asked; `other` changes it. */
  statement(proposal: Hash, name: string, other: Partial<Statement> = {}): Statement {
    const { state } = this.view(proposal);
    const { id, system, terms } = this.operation(proposal, name);
    const status = other.status ?? 'effective';
    return {
      schema: 'statement/1',
      network: this.net.id,
      settlement: state.settlement ?? state.proposal,
      operation: id,
      system,
      status,
      terms: status === 'dead' ? {} : terms,
      reason: status === 'dead' ? 'MONY' : '',
      transaction: status === 'dead' ? '' : `tx of ${name}`,
      ...other,
    };
  }

  /** Signed by validators of the system, by their places; by all of them if none are named. */
  signed(statement: Statement, validators?: readonly number[]): SignedStatement {
    const signers = this.net.validators[statement.system] ?? [];
    const chosen = validators ? validators.flatMap((index) => signers[index] ?? []) : signers;
    return { statement, signatures: chosen.map((signer) => signOne(signer, statement)) };
  }

  /** A body that records operations by name: `['earmark/fcy', 'effective']`. */
  recording(proposal: Hash, ...said: readonly (readonly [string, 'effective' | 'dead'])[]): CallBody {
    const statements = said.map(([name, status]) => this.signed(this.statement(proposal, name, { status })));
    return { type: 'record', proposal, statements };
  }

  /** Records that everything that is open took effect, and gives the phase. */
  answerAll(proposal: Hash): string {
    const open = this.view(proposal).state.operations.filter(({ status }) => status === 'requested');
    const said = open.map((operation) => [operationName(operation), 'effective'] as const);
    this.accepted('central-bank-b', this.recording(proposal, ...said));
    return this.view(proposal).state.phase;
  }

  /** One organisation's share of a certificate, as if it were alone in its block. */
  share(organisation: string, certificate: Certificate, block = 7): CertificateShare {
    const signer = this.signersOf(organisation)?.certificate;
    assert.ok(signer);
    const [share] = signCertificates(signer, block, [certificate]);
    assert.ok(share);
    return share;
  }

  /** The keys that an organisation signs with. */
  protected signersOf(organisation: string): SampleNetwork['organisations'][string] | undefined {
    return this.net.organisations[organisation];
  }
}
