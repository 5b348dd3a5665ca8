import { z } from 'zod';
import { bytesToHex, concatBytes, utf8ToBytes } from './bytes.ts';
import { type Hash, hashBytes, hashSchema, hashToHex, keccak256 } from './hash.ts';
import { leafHash, type MerklePath, merklePathSchema, merkleTree, ONLY_LEAF, rootFromPath } from './merkle.ts';
import { addressOf, type CertificateKey, certificateKeySchema, type Signer, type Verify } from './signature.ts';

/** What a certificate allows: `proceed` the pivot, `commit` complete operations, `abort` inverses, `fence` fencing the pivot. */
export const CERTIFICATE_KINDS = ['proceed', 'commit', 'abort', 'fence'] as const;
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/**
 * A decision on the ledger, in the form that organisations sign and every connected system checks.
 * `head` and `count` pin the history up to the entry that decided. `operations` names what it covers, and it covers nothing else: for
 * `proceed` the holds that the pivot may use, for `commit` the holds to execute, for `abort` the holds to release and the operations in
 * doubt, which anyone with it may fence; for `fence` the pivot.
 */
export type Certificate = {
  readonly network: Hash;
  readonly settlement: Hash;
  readonly kind: CertificateKind;
  readonly scenario: Hash;
  readonly head: Hash;
  readonly count: number;
  readonly epoch: number;
  readonly operations: readonly Hash[];
};

export const certificateSchema = z
  .strictObject({
    network: hashSchema,
    settlement: hashSchema,
    kind: z.enum(CERTIFICATE_KINDS),
    scenario: hashSchema,
    head: hashSchema,
    count: z.int().min(1),
    epoch: z.int().min(1),
    operations: z.array(hashSchema).max(64).readonly(),
  })
  .readonly();

/** One organisation's signature over the root of all certificates that a ledger block calls for, with the path of this one. */
export type CertificateShare = {
  readonly certificate: Certificate;
  readonly key: CertificateKey;
  readonly block: number;
  readonly path: MerklePath;
  readonly signature: string;
};

export const certificateShareSchema = z
  .strictObject({
    certificate: certificateSchema,
    key: certificateKeySchema,
    block: z.int().min(0),
    path: merklePathSchema,
    signature: z.string().regex(/^[0-9a-f]{130}$/),
  })
  .readonly();

/** A certificate with the signatures of a quorum, all over the same block's root, sorted by signer. */
export type SignedCertificate = {
  readonly certificate: Certificate;
  readonly block: number;
  readonly path: MerklePath;
  readonly signatures: readonly { readonly key: CertificateKey; readonly signature: string }[];
};

export const signedCertificateSchema = z
  .strictObject({
    certificate: certificateSchema,
    block: z.int().min(0),
    path: merklePathSchema,
    signatures: z
      .array(z.strictObject({ key: certificateKeySchema, signature: z.string().regex(/^[0-9a-f]{130}$/) }).readonly())
      .max(64)
      .readonly(),
  })
  .readonly();

const hex32Schema = z.string().regex(/^0x[0-9a-f]{64}$/);

/** A certificate in the form that connected systems take: as {@link certificateForSystems} makes it, without its signers' addresses. */
export const systemCertificateSchema = z
  .strictObject({
    certificate: z
      .strictObject({
        network: hex32Schema,
        settlement: hex32Schema,
        kind: z.enum(CERTIFICATE_KINDS),
        scenario: hex32Schema,
        head: hex32Schema,
        count: z.int().min(1),
        epoch: z.int().min(1),
        operations: z.array(hex32Schema).max(64).readonly(),
      })
      .readonly(),
    block: z.int().min(0),
    path: z
      .strictObject({ index: z.int().min(0), size: z.int().min(1), hashes: z.array(hex32Schema).max(64).readonly() })
      .readonly(),
    signatures: z
      .array(z.string().regex(/^0x[0-9a-f]{130}$/))
      .max(64)
      .readonly(),
  })
  .readonly();
export type SystemCertificate = z.infer<typeof systemCertificateSchema>;

/** Signs all certificates that one block calls for, in the given order, with one signature. All are of one network and epoch. */
export function signCertificates(
  signer: Signer<CertificateKey>,
  block: number,
  certificates: readonly Certificate[],
): CertificateShare[] {
  const first = certificates[0];
  if (!first) return [];
  const { root, paths } = merkleTree(keccak256, certificates.map(certificateLeaf));
  const signature = signer.sign(rootDigest(first.network, first.epoch, block, root));
  return certificates.map((certificate, i) => ({
    certificate,
    key: signer.key,
    block,
    path: paths[i] ?? ONLY_LEAF,
    signature,
  }));
}

/** Whether the share's signature is its key's own. Says nothing about whether the key is an organisation's. */
export function verifyShare(verify: Verify, share: CertificateShare): boolean {
  const root = shareRoot(share);
  if (!root) return false;
  return verify(
    share.key,
    rootDigest(share.certificate.network, share.certificate.epoch, share.block, root),
    share.signature,
  );
}

/**
 * Puts shares of one certificate together. Shares over another block's root cannot be mixed in. They are told apart by that root and not
 * by their paths: what a path says of the tree's size is not signed, so whoever brings a share could write it differently.
 */
export function joinShares(shares: readonly CertificateShare[], quorum: number): SignedCertificate | undefined {
  const groups = new Map<string, CertificateShare[]>();
  for (const share of shares) {
    const leaf = certificateLeaf(share.certificate);
    const root = shareRoot(share);
    if (!root) continue;
    const key = `${share.block} ${bytesToHex(leaf)} ${bytesToHex(root)}`;
    const group = groups.get(key) ?? [];
    if (!group.some((other) => other.key === share.key)) group.push(share);
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    const first = group[0];
    if (!first || group.length < quorum) continue;
    const signatures = group
      .map(({ key, signature }) => ({ key, signature }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, quorum);
    return { certificate: first.certificate, block: first.block, path: first.path, signatures };
  }
  return undefined;
}

const KIND_NUMBER: Record<CertificateKind, number> = { proceed: 1, commit: 2, abort: 3, fence: 4 };

/** The JSON that connected systems take, with 32-byte values as `0x` hexadecimal. They share nothing with this code but EIP-712. */
export function certificateForSystems(signed: SignedCertificate) {
  const { certificate, block, path, signatures } = signed;
  return {
    certificate: {
      network: hashToHex(certificate.network),
      settlement: hashToHex(certificate.settlement),
      kind: certificate.kind,
      scenario: hashToHex(certificate.scenario),
      head: hashToHex(certificate.head),
      count: certificate.count,
      epoch: certificate.epoch,
      operations: certificate.operations.map(hashToHex),
    },
    block,
    path: { index: path.index, size: path.size, hashes: path.hashes.map((hash): `0x${string}` => `0x${hash}`) },
    signatures: signatures.map(({ signature }): `0x${string}` => `0x${signature}`),
    signers: signatures.map(({ key }) => addressOf(key)),
  };
}

/** What a system takes: it recovers the signers by itself. */
export function systemCertificate(signed: SignedCertificate): SystemCertificate {
  const { signers: _, ...taken } = certificateForSystems(signed);
  return taken;
}

export function certificateKindNumber(kind: CertificateKind): number {
  return KIND_NUMBER[kind];
}

/** The same certificate is asked for by each share that signs it. */
const LEAVES = new WeakMap<Certificate, Uint8Array>();
const ROOTS = new WeakMap<CertificateShare, Uint8Array>();

const CERTIFICATE_TYPE = typeHash(
  'Certificate(bytes32 network,bytes32 settlement,uint8 kind,bytes32 scenario,bytes32 head,uint64 count,uint64 epoch,bytes32[] operations)',
);
const ROOT_TYPE = typeHash('Root(bytes32 network,uint64 epoch,uint64 block,bytes32 root)');
const DOMAIN_SEPARATOR = keccak256(
  concatBytes(typeHash('EIP712Domain(string name,string version)'), typeHash('Linkspan'), typeHash('1')),
);

/** The root that a share's path leads to, or undefined where it leads to none. */
function shareRoot(share: CertificateShare): Uint8Array | undefined {
  const known = ROOTS.get(share);
  if (known) return known;
  const root = rootFromPath(keccak256, certificateLeaf(share.certificate), share.path);
  if (root) ROOTS.set(share, root);
  return root;
}

function certificateLeaf(certificate: Certificate): Uint8Array {
  const known = LEAVES.get(certificate);
  if (known) return known;
  const leaf = leafHash(keccak256, certificateStructHash(certificate));
  LEAVES.set(certificate, leaf);
  return leaf;
}

/** The EIP-712 struct hash of a certificate. */
export function certificateStructHash(certificate: Certificate): Uint8Array {
  return keccak256(
    concatBytes(
      CERTIFICATE_TYPE,
      hashBytes(certificate.network),
      hashBytes(certificate.settlement),
      uint256(KIND_NUMBER[certificate.kind]),
      hashBytes(certificate.scenario),
      hashBytes(certificate.head),
      uint256(certificate.count),
      uint256(certificate.epoch),
      keccak256(concatBytes(...certificate.operations.map(hashBytes))),
    ),
  );
}

/** The 32 bytes that an organisation signs for a block: the EIP-712 digest of its root. */
export function rootDigest(network: Hash, epoch: number, block: number, root: Uint8Array): Uint8Array {
  return typedDataDigest(concatBytes(ROOT_TYPE, hashBytes(network), uint256(epoch), uint256(block), root));
}

/** The EIP-712 digest of a struct in this network's domain, given its encoded members behind the hash of its type. */
export function typedDataDigest(encoded: Uint8Array): Uint8Array {
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), DOMAIN_SEPARATOR, keccak256(encoded)));
}

export function typeHash(text: string): Uint8Array {
  return keccak256(utf8ToBytes(text));
}

export function uint256(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(24, BigInt(value));
  return bytes;
}
