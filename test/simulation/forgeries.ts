import {
  type Certificate,
  hashOf,
  signCertificates,
  type Signer,
  type SigningKey,
  type Statement,
} from '@linkspan/protocol';
import { type InProcessNetwork, signStatement } from '@linkspan/testkit';
import type { SettlementView } from '@linkspan/contract';

const SHARES = 12;

/** What an organisation that lies could send to the others about every open settlement, all at once. */
export async function sendForgeries(network: InProcessNetwork, organisation: string): Promise<void> {
  const open = await network.ledger.evaluate('open', { limit: 500 });
  if (!open.ok) return;
  for (const proposal of open.value) {
    const view = await network.view(proposal);
    for (const other of network.organisations) {
      if (other === organisation || network.state(other) !== 'runs') continue;
      network.coordinator(other).receiveStatements(proposal, forgedStatements(network, organisation, view));
      network.coordinator(other).receiveShares(proposal, uncalledShares(network, organisation, view));
    }
  }
}

/** Everything that is asked of others is dead, says somebody who is no validator of theirs. */
function forgedStatements(network: InProcessNetwork, organisation: string, { state }: SettlementView) {
  const { settlement } = state;
  const liar: Signer<SigningKey> | undefined = network.sample.organisations[organisation]?.call;
  if (settlement === null || !liar) return [];
  const open = state.operations.filter(({ status }) => status === 'requested');
  return open.map(({ id, system }) => {
    const about = { schema: 'statement/1', network: network.sample.id, settlement, operation: id, system } as const;
    const statement: Statement = { ...about, status: 'dead', terms: {}, reason: 'NARR', transaction: 'none' };
    return signStatement(statement, liar);
  });
}

/** True signatures over certificates that no entry calls for. */
function uncalledShares(network: InProcessNetwork, organisation: string, { state }: SettlementView) {
  const signer = network.sample.organisations[organisation]?.certificate;
  if (!signer) return [];
  return Array.from({ length: SHARES }, (_, count) => {
    const certificate: Certificate = {
      network: network.sample.id,
      settlement: state.settlement ?? state.proposal,
      kind: 'abort',
      scenario: state.scenario.hash,
      head: hashOf('made up'),
      count: count + 1,
      epoch: 1,
      operations: [],
    };
    return signCertificates(signer, 1, [certificate]);
  }).flat();
}
