import {
  membersOf,
  listOf,
  nameSketch,
  readAddress,
  readBytes,
  readBytes32,
  readInteger,
  readOneOf,
} from './decode.ts';
import type { Source } from './decode.ts';
import { hexOf } from './keccak.ts';
import { leafHash, rootOf } from './merkle.ts';
import type { AuditPath } from './merkle.ts';
import { recoverSigner } from './recover-signer.ts';
import { refuse } from './refusal.ts';
import type { Refused, Result } from './refusal.ts';
import { CERTIFICATE_KINDS, certificateHash, epochDigest, rootDigest } from './typed-data.ts';
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
  names?: string;
};

export type CertificateCheck = (signed: SignedCertificate, demand: Demand) => Result<undefined>;

/**
 * Makes the check of certificates. One set of signatures serves a whole block, so the sets that proved right last are
 * remembered: members of an epoch never change, hence neither does what a set of signatures proves.
 */
export function certificateCheck(epochOf: (epoch: number) => Epoch | undefined): CertificateCheck {
  const proven = new Set<string>();
  return (signed, demand) => {
    const { certificate, block, path, signatures } = signed;
    const misfit = misfitOf(certificate, demand);
    if (misfit !== undefined) return misfit;
    const epoch = epochOf(certificate.epoch);
    if (epoch === undefined) return refuse('certificate-epoch-unknown', `Epoch ${certificate.epoch} is not installed.`);
    const root = rootOf(leafHash(certificateHash(certificate)), path);
    if (root === undefined)
      return refuse('certificate-path-invalid', 'The audit path does not fit the size of its tree.');
    const digest = rootDigest(certificate.network, certificate.epoch, block, root);
    const key = [hexOf(digest), ...signatures].join();
    if (proven.has(key)) return { ok: true, value: undefined };
    const quorum = checkQuorum(digest, signatures, epoch);
    if (quorum.ok) remember(proven, key);
    return quorum;
  };
}

/** Checks that a quorum of the latest epoch signed the next one. */
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

export function readSignedCertificate(source: Source): SignedCertificate {
  nameSketch(source, 'SignedCertificate');
  const member = membersOf(source, ['certificate', 'block', 'path', 'signatures']);
  const step = membersOf(member('path'), ['index', 'size', 'hashes']);
  return {
    certificate: readCertificate(member('certificate')),
    block: readInteger(member('block'), 0, Number.MAX_SAFE_INTEGER),
    path: {
      index: readInteger(step('index'), 0, Number.MAX_SAFE_INTEGER),
      size: readInteger(step('size'), 1, Number.MAX_SAFE_INTEGER),
      hashes: listOf(step('hashes'), 64, readBytes32),
    },
    signatures: listOf(member('signatures'), 100, readBytes),
  };
}

export function readSignedEpoch(source: Source): SignedEpoch {
  nameSketch(source, 'SignedEpoch');
  const member = membersOf(source, ['network', 'epoch', 'quorum', 'signers', 'signatures']);
  return {
    network: readBytes32(member('network')),
    epoch: readInteger(member('epoch'), 1, Number.MAX_SAFE_INTEGER),
    quorum: readInteger(member('quorum'), 1, 100),
    signers: listOf(member('signers'), 100, readAddress),
    signatures: listOf(member('signatures'), 100, readBytes),
  };
}

const REMEMBERED_ROOTS = 512;

function readCertificate(source: Source): Certificate {
  const names = ['network', 'settlement', 'kind', 'scenario', 'head', 'count', 'epoch', 'operations'];
  const member = membersOf(source, names);
  return {
    network: readBytes32(member('network')),
    settlement: readBytes32(member('settlement')),
    kind: readOneOf(member('kind'), CERTIFICATE_KINDS),
    scenario: readBytes32(member('scenario')),
    head: readBytes32(member('head')),
    count: readInteger(member('count'), 0, Number.MAX_SAFE_INTEGER),
    epoch: readInteger(member('epoch'), 0, Number.MAX_SAFE_INTEGER),
    operations: listOf(member('operations'), 1000, readBytes32),
  };
}

function misfitOf(certificate: Certificate, demand: Demand): Refused | undefined {
  if (certificate.network !== demand.network) {
    return refuse('certificate-wrong-network', 'The certificate is of another network.');
  }
  if (!demand.kinds.includes(certificate.kind)) {
    return refuse('certificate-wrong-kind', `A certificate of kind ${demand.kinds.join(' or ')} is needed.`);
  }
  if (demand.settlement !== undefined && certificate.settlement !== demand.settlement) {
    return refuse('certificate-wrong-settlement', 'The certificate is of another settlement than the hold.');
  }
  if (demand.oldestEpoch !== undefined && certificate.epoch < demand.oldestEpoch) {
    return refuse(
      'certificate-epoch-old',
      `The hold was made in epoch ${demand.oldestEpoch}, the certificate is older.`,
    );
  }
  if (demand.names !== undefined && !certificate.operations.includes(demand.names)) {
    return refuse('certificate-operation-not-named', 'The certificate does not name this operation or hold.');
  }
  return undefined;
}

/** A quorum of distinct members signed. Every signature that is given must be right, not only enough of them. */
function checkQuorum(digest: Uint8Array, signatures: string[], epoch: Epoch): Result<undefined> {
  if (signatures.length < epoch.quorum) {
    const detail = `${signatures.length} of ${epoch.quorum} necessary signatures are given.`;
    return refuse('certificate-too-few-signatures', detail);
  }
  let last = '';
  for (const [index, signature] of signatures.entries()) {
    const signer = recoverSigner(digest, signature);
    if (signer === undefined || !epoch.signers.includes(signer)) {
      return refuse('certificate-signature-invalid', `Signature ${index} is of no member of epoch ${epoch.epoch}.`);
    }
    if (signer <= last) {
      return refuse(
        'certificate-signers-unsorted',
        'Signatures must ascend by the address of their signers, each once.',
      );
    }
    last = signer;
  }
  return { ok: true, value: undefined };
}

function remember(proven: Set<string>, key: string): void {
  const oldest = proven.size >= REMEMBERED_ROOTS ? proven.values().next().value : undefined;
  if (oldest !== undefined) proven.delete(oldest);
  proven.add(key);
}
