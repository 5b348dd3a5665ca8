import { type Certificate, type CertificateKind, type Change, type Hash, invariant } from '@linkspan/protocol';
import type { Settlement } from './settlement.ts';

/** The certificates that an entry calls for, given the hash of that entry. */
export function certificatesCalledFor(settlement: Settlement, changes: readonly Change[], head: Hash): Certificate[] {
  return changes.flatMap((change) =>
    change.what === 'called-for' ? [certificateOf(settlement, change.certificate, head)] : [],
  );
}

/** Entry that called for a certificate of a kind, or undefined while none has. */
export function sequenceOf(settlement: Settlement, kind: CertificateKind): number | undefined {
  switch (kind) {
    case 'proceed':
      return settlement.proceed?.sequence;
    case 'fence':
      return settlement.fence?.sequence;
    case 'commit':
    case 'abort':
      return settlement.decision?.kind === kind ? settlement.decision.sequence : undefined;
  }
}

/**
 * The one certificate of a kind that this settlement can ever have. `head` is the hash of the entry that called for it. A decision that is still
 * acted on when a later epoch begins is certified again under that epoch: the same decision, signed with other keys.
 */
export function certificateOf(
  settlement: Settlement,
  kind: CertificateKind,
  head: Hash,
  epoch: number = settlement.epoch,
): Certificate {
  const count = sequenceOf(settlement, kind);
  const { network, settlement: id, scenario } = settlement;
  invariant(id !== null && count !== undefined, `the settlement calls for a ${kind} certificate`);
  return {
    network,
    settlement: id,
    kind,
    scenario: scenario.hash,
    head,
    count,
    epoch,
    operations: covered(settlement, kind),
  };
}

function covered(settlement: Settlement, kind: CertificateKind): readonly Hash[] {
  switch (kind) {
    case 'proceed':
      return settlement.proceed?.holds ?? [];
    case 'fence':
      return settlement.fence ? [settlement.fence.pivot] : [];
    // Named one by one: a hold that somebody makes later under the same settlement is opened by no certificate.
    case 'abort':
    case 'commit':
      return settlement.decision ? [...settlement.decision.inDoubt, ...settlement.decision.holds] : [];
  }
}
