import { leafHash, rootOf } from './merkle.ts';
import type { AuditPath } from './merkle.ts';
import { recoverSigner } from './recover-signer.ts';
import { refuse } from './refusal.ts';
import type { Refused, Result } from './refusal.ts';
import { certificateHash, epochDigest, rootDigest } from './typed-data.ts';
import type { Certificate, CertificateKind, Epoch } from './typed-data.ts';

/** A certificate with its place in the tree of its block, and the signatures of that tree's root. */
export type SignedCertificate = {
  certificate: Certificate;
  block: number;
  path: AuditPath;
  signatures: string[];
};

export type SignedEpoch = Epoch & { signatures: string[] };

/** What a certificate must be for the effect it is brought for. */
export type Demand = {
  network: string;
  kinds: readonly CertificateKind[];
  settlement?: string;
  oldestEpoch?: number;
  names: string;
};

/** Why a certificate does not allow what it is brought for, before anybody looks at its signatures. */
export function misfitOf(certificate: Certificate, demand: Demand): Refused | undefined {
  if (certificate.network !== demand.network)
    return refuse('certificate-wrong-network', 'The certificate is of another network.');
  if (!demand.kinds.includes(certificate.kind))
    return refuse('certificate-wrong-kind', `A certificate of kind ${demand.kinds.join(' or ')} is needed.`);
  if (demand.settlement !== undefined && certificate.settlement !== demand.settlement)
    return refuse('certificate-wrong-settlement', 'The certificate is of another settlement than the hold.');
  if (demand.oldestEpoch !== undefined && certificate.epoch < demand.oldestEpoch)
    return refuse(
      'certificate-epoch-old',
      `The hold was made in epoch ${demand.oldestEpoch}, the certificate is older.`,
    );
  if (!certificate.operations.includes(demand.names))
    return refuse('certificate-operation-not-named', 'The certificate does not name this operation or hold.');
  return undefined;
}

/** That a quorum of the certificate's epoch signed the block whose tree holds it. */
export function checkSigned(
  { certificate, block, path, signatures }: SignedCertificate,
  epoch: Epoch,
): Result<undefined> {
  const root = rootOf(leafHash(certificateHash(certificate)), path);
  if (root === undefined)
    return refuse('certificate-path-invalid', 'The audit path does not fit the size of its tree.');
  return checkQuorum(rootDigest(certificate.network, certificate.epoch, block, root), signatures, epoch);
}

/** That a quorum of the latest epoch signed the next one. */
export function checkEpoch(next: SignedEpoch, latest: Epoch): Result<undefined> {
  if (next.network !== latest.network) return refuse('certificate-wrong-network', 'The epoch is of another network.');
  const problem = epochProblem(next);
  if (problem !== undefined) return refuse('epoch-invalid', problem);
  return checkQuorum(epochDigest(next), next.signatures, latest);
}

/** What is wrong with the members of an epoch, in words, or undefined. */
export function epochProblem(epoch: Epoch): string | undefined {
  if (new Set(epoch.signers).size !== epoch.signers.length) return 'The signers are not distinct.';
  if (epoch.signers.some((signer) => /^0x0*$/.test(signer))) return 'The zero address cannot sign.';
  if (epoch.quorum > epoch.signers.length) return 'The quorum exceeds the number of signers.';
  return undefined;
}

/** A quorum of distinct members signed. Every signature that is given must be right, not only enough of them. */
function checkQuorum(digest: Uint8Array, signatures: string[], epoch: Epoch): Result<undefined> {
  if (signatures.length < epoch.quorum)
    return refuse(
      'certificate-too-few-signatures',
      `${signatures.length} of ${epoch.quorum} necessary signatures are given.`,
    );
  let last = '';
  for (const [index, signature] of signatures.entries()) {
    const signer = recoverSigner(digest, signature);
    if (signer === undefined || !epoch.signers.includes(signer))
      return refuse('certificate-signature-invalid', `Signature ${index} is of no member of epoch ${epoch.epoch}.`);
    if (signer <= last)
      return refuse(
        'certificate-signers-unsorted',
        'Signatures must ascend by the address of their signers, each once.',
      );
    last = signer;
  }
  return { ok: true, value: undefined };
}
