import assert from 'node:assert/strict';
import { type ArchivedCall, EMBEDDED_HOST, type Evidence, type SettlementEvidence } from '@linkspan/audit';
import { runQuery } from '@linkspan/contract';
import {
  callId,
  type CallType,
  type Certificate,
  type CertificateShare,
  type Hash,
  scenarioReference,
  signCertificates,
  type SignedCall,
} from '@linkspan/protocol';
import { ChangingScene, sampleInstruction, type SampleNetwork, sampleNetwork } from '@linkspan/testkit';

/** The sample network with no more than one trade needs, so that the files stay small. */
export function smallNetwork(): SampleNetwork {
  const net = sampleNetwork();
  const instruction = sampleInstruction('T', 0);
  const text = JSON.stringify(instruction);
  const needed = ({ call: { body } }: SignedCall): boolean => {
    switch (body.type) {
      case 'register-party':
        return text.includes(body.party.lei);
      case 'register-account':
        return text.includes(`"${body.account.id}"`);
      case 'register-instrument':
        return body.instrument.isin === instruction.security.isin;
      case 'propose-scenario':
        return scenarioReference(body.document) === instruction.scenario;
      case 'approve-scenario':
        return body.scenario === instruction.scenario;
      default:
        return true;
    }
  };
  return { ...net, setUp: () => net.setUp().filter(needed) };
}

/** A settlement run on the contract alone, of which the evidence can be taken at any time. Each submission is a block, from 1. */
export class EvidenceScene extends ChangingScene {
  /** The block that the last submission made. */
  get block(): number {
    return this.submitted.length;
  }

  /** Every organisation signs what the last block called for and the signatures are recorded. */
  certify(proposal: Hash, organisations: readonly string[], block = this.block): void {
    const [certificate] = this.view(proposal).certificates.slice(-1);
    assert.ok(certificate);
    const shares = organisations.map((id) => this.share(id, certificate, block));
    this.accepted('central-bank-b', { type: 'certify', proposal, shares });
  }

  /** One organisation's signature over the root of all certificates of the last block. */
  shares(organisation: string, certificates: readonly Certificate[]): CertificateShare[] {
    const signer = this.signersOf(organisation)?.certificate;
    assert.ok(signer);
    return signCertificates(signer, this.block, certificates);
  }

  /** From the first lodged copy to `settled`, with some ledger time between blocks. */
  settle(tradeId: string, stepMs = 1000): Hash {
    const proposal = this.begin(tradeId);
    this.wait(stepMs);
    this.answerAll(proposal);
    this.certify(proposal, ['central-bank-a', 'central-bank-b']);
    this.wait(stepMs);
    assert.equal(this.answerAll(proposal), 'settled');
    return proposal;
  }

  wait(ms = 1000): void {
    this.world.tx.time += ms;
  }

  evidence(asked: readonly Hash[], context: readonly Hash[] = []): Evidence {
    const archive = this.submitted.flatMap(({ time, calls }, i) =>
      calls.map((call, index): ArchivedCall => ({ block: i + 1, time, index, call })),
    );
    const settlement = (role: SettlementEvidence['role']) => (proposal: Hash) =>
      this.#settlement(archive, role, proposal);
    const evidence: Evidence = {
      schema: 'audit/1',
      network: this.net.id,
      genesis: this.net.plan.genesis,
      host: EMBEDDED_HOST,
      environment: archive.filter(({ call }) => !ABOUT_SETTLEMENTS.has(call.call.body.type)),
      settlements: [...context.map(settlement('context')), ...asked.map(settlement('asked'))],
    };
    // As it is after it has been a file: members that are undefined are gone.
    return JSON.parse(JSON.stringify(evidence));
  }

  #settlement(archive: readonly ArchivedCall[], role: SettlementEvidence['role'], proposal: Hash): SettlementEvidence {
    const entries = runQuery(this.world, 'history', { id: proposal, limit: 500 });
    assert.ok(entries.ok);
    const made = new Set(entries.value.map(({ call }) => call));
    const { state, head } = this.view(proposal);
    const calls = archive.filter(({ call: { call } }) =>
      'proposal' in call.body ? call.body.proposal === proposal : call.body.type === 'lodge' && made.has(callId(call)),
    );
    return {
      role,
      proposal,
      settlement: state.settlement,
      tradeId: state.tradeId,
      calls,
      entries: entries.value,
      head,
      phase: state.phase,
    };
  }
}

const ABOUT_SETTLEMENTS: ReadonlySet<CallType> = new Set<CallType>([
  'lodge',
  'retract',
  'record',
  'certify',
  'report',
  'expire',
  'cancel',
  'resolve',
]);
