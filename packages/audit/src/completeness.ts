import type { SettlementView } from '@linkspan/contract';
import { type CertificateKind, ENDS, joinShares } from '@linkspan/protocol';
import { operationName, type OperationState, type Settlement } from '@linkspan/scenario';

/** A certificate that the history calls for. `signatures` are those that count; it stands from `quorum` on. */
export type CertificateReport = {
  readonly kind: CertificateKind;
  readonly epoch: number;
  readonly signatures: number;
  readonly quorum: number;
  readonly stands: boolean;
};

/**
 * The certificates of a settlement with the signatures on the ledger. The contract has checked each signature; here they must also be over one root, that
 * of the block in which the decision stands: only such ones make a certificate that a system accepts. Under a later epoch than the settlement's own each
 * certificate is signed again alone, as of no block.
 */
export function certificateReports(
  { state, certificates, shares }: SettlementView,
  quorums: ReadonlyMap<number, number>,
  blockOf: (sequence: number) => number | undefined,
): CertificateReport[] {
  return certificates.map(({ kind, count, epoch }) => {
    const block = epoch > state.epoch ? NO_BLOCK : blockOf(count);
    const quorum = quorums.get(epoch) ?? Infinity;
    const counting = shares.filter(
      ({ certificate, ...share }) => certificate.kind === kind && certificate.epoch === epoch && share.block === block,
    );
    const signatures = new Set(counting.map(({ key }) => key)).size;
    return { kind, epoch, signatures, quorum, stands: joinShares(counting, quorum) !== undefined };
  });
}

const NO_BLOCK = 0;

/** What keeps a settlement's evidence from being complete, in words. */
export function missingOf(settlement: Settlement, certificates: readonly CertificateReport[]): string[] {
  const missing = ENDS.includes(settlement.phase)
    ? []
    : [`The settlement has not ended; it is ${settlement.phase}${waitingFor(settlement)}.`];
  const needed = new Set(settlement.operations.flatMap(certificateFor));
  for (const kind of needed) {
    const ofKind = certificates.filter((certificate) => certificate.kind === kind);
    if (ofKind.some(({ stands }) => stands)) continue;
    const known = ofKind.toSorted((a, b) => b.signatures - a.signatures)[0];
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
