import { createHash } from 'node:crypto';
import { DER, der, derInteger } from './der.ts';
import { allBytes, bytesAt, bytesField, numberAt } from './protobuf.ts';

/** A signature over a block: of a consenter by its number (BFT), or of an identity that is written out (Raft). */
export type BlockSignature = {
  readonly consenter: bigint | undefined;
  readonly identity: Uint8Array;
  /** What is signed, besides what all signatures of the block share. */
  readonly header: Uint8Array;
  readonly signature: Uint8Array;
};

/** A block as Fabric's orderers hand it out and its peers keep it. */
export type FabricBlock = {
  readonly number: bigint;
  readonly previousHash: Uint8Array;
  readonly dataHash: Uint8Array;
  /** SHA-256 over the header in DER (protoutil.BlockHeaderBytes), which the next block names. */
  readonly hash: Uint8Array;
  readonly headerBytes: Uint8Array;
  readonly envelopes: readonly Uint8Array[];
  /** What the orderers say besides the header: it names the configuration block under which they signed. */
  readonly ordererMetadata: Uint8Array;
  readonly signatures: readonly BlockSignature[];
  /** One code for each envelope. The peer's word, not the orderers'. */
  readonly validationCodes: Uint8Array;
};

/** Throws a RangeError on bytes that are no message. */
export function readBlock(bytes: Uint8Array): FabricBlock {
  const header = bytesAt(bytes, 1);
  const number = numberAt(header, 1);
  const [previousHash, dataHash] = [bytesAt(header, 2), bytesAt(header, 3)];
  if (dataHash.length !== HASH_BYTES || previousHash.length > HASH_BYTES) throw new RangeError('a header has no hash');
  const headerBytes = der(DER.sequence, derInteger(number), der(DER.octets, previousHash), der(DER.octets, dataHash));
  const metadata = allBytes(bytesAt(bytes, 3), 1);
  const signed = metadata[SIGNATURES] ?? new Uint8Array();
  return {
    number,
    previousHash,
    dataHash,
    hash: createHash('sha256').update(headerBytes).digest(),
    headerBytes,
    envelopes: allBytes(bytesAt(bytes, 2), 1),
    ordererMetadata: bytesAt(signed, 1),
    signatures: allBytes(signed, 2).map(readSignature),
    validationCodes: metadata[VALIDATION_CODES] ?? new Uint8Array(),
  };
}

/** The hash that a header must name: over all envelopes one after the other, so that none can be shown without the others. */
export function dataHashOf({ envelopes }: FabricBlock): Uint8Array {
  const hash = createHash('sha256');
  for (const envelope of envelopes) hash.update(envelope);
  return hash.digest();
}

/** The number of the configuration block under which the orderers signed; for a configuration block its own. */
export function configurationOf({ ordererMetadata }: FabricBlock): bigint {
  return numberAt(bytesAt(ordererMetadata, 1), 1);
}

export function isConfigurationBlock({ envelopes }: Pick<FabricBlock, 'envelopes'>): boolean {
  const [envelope] = envelopes;
  return envelope !== undefined && envelopes.length === 1 && numberAt(bytesAt(envelope, 1, 1, 1), 1) === CONFIGURATION;
}

/** The same block with no more of its metadata than the orderers' signatures and the peer's validation codes. */
export function provablePart(bytes: Uint8Array): Uint8Array {
  const metadata = allBytes(bytesAt(bytes, 3), 1);
  const kept = metadata
    .slice(0, VALIDATION_CODES + 1)
    .map((content, i) => bytesField(1, i === SIGNATURES || i === VALIDATION_CODES ? content : new Uint8Array()));
  return Buffer.concat([
    bytesField(1, bytesAt(bytes, 1)),
    bytesField(2, bytesAt(bytes, 2)),
    bytesField(3, Buffer.concat(kept)),
  ]);
}

const SIGNATURES = 0;
const VALIDATION_CODES = 2;
const HASH_BYTES = 32;
const CONFIGURATION = 1n;

function readSignature(message: Uint8Array): BlockSignature {
  const [signatureHeader, identifierHeader] = [bytesAt(message, 1), bytesAt(message, 3)];
  const isBft = signatureHeader.length === 0 && identifierHeader.length > 0;
  return {
    consenter: isBft ? numberAt(identifierHeader, 1) : undefined,
    identity: isBft ? new Uint8Array() : bytesAt(signatureHeader, 1),
    header: isBft ? identifierHeader : signatureHeader,
    signature: bytesAt(message, 2),
  };
}
