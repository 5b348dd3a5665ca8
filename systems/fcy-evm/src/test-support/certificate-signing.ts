import { concat, hashStruct, hashTypedData, keccak256, toHex } from 'viem';
import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { PrivateKeyAccount } from 'viem/accounts';

/** What organisations do for this system's tests: they sign certificates, as in the reference of certificates. */
export const kinds = { proceed: 1, commit: 2, abort: 3, fence: 4 } as const;

export type Certificate = {
  network: Hex;
  settlement: Hex;
  kind: number;
  scenario: Hex;
  head: Hex;
  count: bigint;
  epoch: bigint;
  operations: readonly Hex[];
};

export type Proof = { block: bigint; index: bigint; size: bigint; hashes: readonly Hex[]; signatures: readonly Hex[] };
export type SignedCertificate = readonly [Certificate, Proof];

const domain = { name: 'Linkspan', version: '1' } as const;

const certificateTypes = {
  Certificate: [
    { name: 'network', type: 'bytes32' },
    { name: 'settlement', type: 'bytes32' },
    { name: 'kind', type: 'uint8' },
    { name: 'scenario', type: 'bytes32' },
    { name: 'head', type: 'bytes32' },
    { name: 'count', type: 'uint64' },
    { name: 'epoch', type: 'uint64' },
    { name: 'operations', type: 'bytes32[]' },
  ],
} as const;

const rootTypes = {
  Root: [
    { name: 'network', type: 'bytes32' },
    { name: 'epoch', type: 'uint64' },
    { name: 'block', type: 'uint64' },
    { name: 'root', type: 'bytes32' },
  ],
} as const;

const epochTypes = {
  Epoch: [
    { name: 'network', type: 'bytes32' },
    { name: 'epoch', type: 'uint64' },
    { name: 'quorum', type: 'uint64' },
    { name: 'signers', type: 'address[]' },
  ],
} as const;

/** Organisations with fixed keys, in ascending order of their addresses. */
export function organisations(names: readonly string[]): PrivateKeyAccount[] {
  const accounts = names.map((name) => privateKeyToAccount(keccak256(toHex(name))));
  return accounts.toSorted((left, right) => (BigInt(left.address) < BigInt(right.address) ? -1 : 1));
}

/** Signs all certificates of one ledger block, which are of one network and epoch, with one signature per signer. */
export async function signBlock(
  signers: readonly PrivateKeyAccount[],
  certificates: readonly Certificate[],
  block = 1n,
): Promise<SignedCertificate[]> {
  const [first] = certificates;
  if (first === undefined) return [];
  const leaves = certificates.map(leafOf);
  const { network, epoch } = first;
  const message = { network, epoch, block, root: treeOf(leaves) };
  const hash = hashTypedData({ domain, types: rootTypes, primaryType: 'Root', message });
  const signatures = await Promise.all(signers.map((signer) => signer.sign({ hash })));
  const size = BigInt(leaves.length);
  return certificates.map((certificate, index) => {
    const hashes = auditPath(leaves, index);
    return [certificate, { block, index: BigInt(index), size, hashes, signatures }] as const;
  });
}

/** Signs a certificate that is alone in its block. */
export async function signAlone(
  signers: readonly PrivateKeyAccount[],
  certificate: Certificate,
): Promise<SignedCertificate> {
  const [signed] = await signBlock(signers, [certificate]);
  if (signed === undefined) throw new Error('One certificate was signed, so one comes back.');
  return signed;
}

export function signEpoch(
  signers: readonly PrivateKeyAccount[],
  message: { network: Hex; epoch: bigint; quorum: bigint; signers: readonly Address[] },
): Promise<Hex[]> {
  const hash = hashTypedData({ domain, types: epochTypes, primaryType: 'Epoch', message });
  return Promise.all(signers.map((signer) => signer.sign({ hash })));
}

function leafOf(certificate: Certificate): Hex {
  const data = { ...certificate };
  return keccak256(concat(['0x00', hashStruct({ types: certificateTypes, primaryType: 'Certificate', data })]));
}

/** RFC 6962 2.1, with keccak256. */
function treeOf(leaves: readonly Hex[]): Hex {
  const [only] = leaves;
  if (only === undefined) throw new Error('A tree has at least one leaf.');
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return keccak256(concat(['0x01', treeOf(leaves.slice(0, split)), treeOf(leaves.slice(split))]));
}

/** RFC 6962 2.1.1. */
function auditPath(leaves: readonly Hex[], index: number): Hex[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  if (index < split) return [...auditPath(left, index), treeOf(right)];
  return [...auditPath(right, index - split), treeOf(left)];
}

/** The largest power of two below the size. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
