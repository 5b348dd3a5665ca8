import type { SettlementView } from '@linkspan/contract';
import { type CertificateKind, ENDS, joinShares } from '@linkspan/protocol';
import { operationName, type OperationState, type Settlement } from '@linkspan/scenario';

/** A certificate that the history calls for. `signatures` are those that count; it stands from `quorum` on. */
export type CertificateReport = {
  readonly kind: CertificateKind;
  readonly signatures: number;
  readonly quorum: number;
  readonly stands: boolean;
};

/**
 * The certificates of a settlement with the signatures on the ledger. The contract has checked each signature; here they must also be
 * over one root, that of the block in which the decision stands: only such ones make a certificate that a system accepts.
 */
export function certificateReports(
  { certificates, shares }: SettlementView,
  quorum: number,
  blockOf: (sequence: number) => number | undefined,
): CertificateReport[] {
  return certificates.map(({ kind, count }) => {
    const block = blockOf(count);
    const counting = shares.filter((share) => share.certificate.kind === kind && share.block === block);
    const signatures = new Set(counting.map(({ key }) => key)).size;
    return { kind, signatures, quorum, stands: joinShares(counting, quorum) !== undefined };
  });
}

/** What keeps a settlement's evidence from being complete, in words. */
export function missingOf(settlement: Settlement, certificates: readonly CertificateReport[]): string[] {
  const missing = ENDS.includes(settlement.phase)
    ? []
    : [`The settlement has not ended; it is ${settlement.phase}${waitingFor(settlement)}.`];
  const needed = new Set(settlement.operations.flatMap(certificateFor));
  for (const kind of needed) {
    const known = certificates.find((certificate) => certificate.kind === kind);
    if (known?.stands) continue;
    const { signatures = 0, quorum = 0 } = known ?? {};
    missing.push(`The ${kind} certificate was acted on, but has ${signatures} of ${quorum} signatures over its block.`);
  }
  return missing;
}

/** The certificate without which an operation cannot have taken effect on its system. */
function certificateFor({ purpose, status }: OperationState): CertificateKind[] {
  if (status !== 'effective' && status !== 'irregular') return [];
  switch (purpose) {
    case 'prepare':
      return [];
    case 'pivot':
      return ['proceed'];
    case 'complete':
      return ['commit'];
    case 'inverse':
      return ['abort'];
  }
}

function waitingFor({ operations }: Settlement): string {
  const open = operations.filter(({ status }) => status === 'requested').map(operationName);
  return open.length === 0 ? '' : ` and waits for ${open.join(', ')}`;
}
