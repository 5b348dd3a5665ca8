import { z } from 'zod';
import { concatBytes, hexToBytes, utf8ToBytes } from './bytes.ts';
import { canonicalText } from './canonical-json.ts';
import { sha256, sha256OfText } from './hash.ts';
import { type MerklePath, merklePathSchema, merkleTree, ONLY_LEAF, rootFromPath } from './merkle.ts';

/** An Ed25519 public key: `ed25519:` and 64 hexadecimal digits. Calls and statements are signed with these. */
export type SigningKey = `ed25519:${string}`;
/** The address of a secp256k1 key as an EVM chain knows it: `secp256k1:` and 40 hexadecimal digits. Certificates are signed with these. */
export type CertificateKey = `secp256k1:${string}`;
export type PublicKey = SigningKey | CertificateKey;

export const signingKeySchema = z.templateLiteral(['ed25519:', z.string().regex(/^[0-9a-f]{64}$/)]);
export const certificateKeySchema = z.templateLiteral(['secp256k1:', z.string().regex(/^[0-9a-f]{40}$/)]);

/** Whether `signature` (hexadecimal) over `bytes` was made by the holder of `key`. Pure and synchronous; never throws. Over a 32-byte digest for secp256k1. */
export type Verify = (key: PublicKey, bytes: Uint8Array, signature: string) => boolean;
/** Signs bytes (a 32-byte digest for secp256k1) and gives the signature in hexadecimal. Deterministic (RFC 8032, RFC 6979). */
export type Sign = (bytes: Uint8Array) => string;
export type Signer<K extends PublicKey = PublicKey> = { readonly key: K; readonly sign: Sign };

/** One signature over a batch, with the path of this member in it. Without a path the batch has one member. */
export type BatchSignature = {
  readonly key: SigningKey;
  readonly path?: MerklePath | undefined;
  readonly signature: string;
};

export const batchSignatureSchema = z
  .strictObject({
    key: signingKeySchema,
    path: merklePathSchema.optional(),
    signature: z.string().regex(/^[0-9a-f]{128}$/),
  })
  .readonly();

const DOMAIN = utf8ToBytes('linkspan/1 root\n');

/** Signs many documents at once: one signature over the root of a tree, and for each document its path (Ed25519 over a domain tag and the root). */
export function signBatch(signer: Signer<SigningKey>, documents: readonly object[]): BatchSignature[] {
  const { root, paths } = merkleTree(sha256, documents.map(documentLeaf));
  const signature = signer.sign(concatBytes(DOMAIN, root));
  if (documents.length === 1) return [{ key: signer.key, signature }];
  return paths.map((path) => ({ key: signer.key, path, signature }));
}

export function signOne(signer: Signer<SigningKey>, document: object): BatchSignature {
  return { key: signer.key, signature: signer.sign(concatBytes(DOMAIN, documentLeaf(document))) };
}

export function verifyBatchSignature(verify: Verify, document: object, signature: BatchSignature): boolean {
  const message = signedMessage(document, signature);
  return message !== undefined && verify(signature.key, message, signature.signature);
}

/** What a signature over a batch signs, as its path leads there from the document; made once for two objects that never change. */
function signedMessage(document: object, signature: BatchSignature): Uint8Array | undefined {
  const known = MESSAGES.get(signature);
  if (known?.document === document) return known.message;
  const root = rootFromPath(sha256, documentLeaf(document), signature.path ?? ONLY_LEAF);
  if (!root) return undefined;
  const message = concatBytes(DOMAIN, root);
  MESSAGES.set(signature, { document, message });
  return message;
}

const MESSAGES = new WeakMap<BatchSignature, { readonly document: object; readonly message: Uint8Array }>();

function documentLeaf(document: object): Uint8Array {
  // The leaf's prefix is a byte that is a character of its own, so text and prefix are hashed in one go.
  return sha256OfText(`\0${canonicalText(document)}`);
}

/** The 20 bytes of a certificate key. */
export function addressBytes(key: CertificateKey): Uint8Array {
  return hexToBytes(key.slice('secp256k1:'.length));
}

/** A certificate key as an EVM chain writes it, `0x` and 40 digits in lower case. */
export function addressOf(key: CertificateKey): `0x${string}` {
  return `0x${key.slice('secp256k1:'.length)}`;
}
