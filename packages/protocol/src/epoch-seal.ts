import { z } from 'zod';
import { keccak256, type Hash, hashBytes, hashToHex } from './hash.ts';
import { concatBytes } from './bytes.ts';
import { typedDataDigest, typeHash, uint256 } from './certificate.ts';
import type { Epoch } from './network-change.ts';
import { addressBytes, addressOf, type CertificateKey, type Signer, type Verify } from './signature.ts';

/** A signature over an epoch, in hexadecimal, by a certificate key of the epoch before it. */
export const epochSealSchema = z.string().regex(/^[0-9a-f]{130}$/);
export type EpochSeal = { readonly key: CertificateKey; readonly signature: string };

/**
 * What a quorum of an epoch signs so that systems install the next one: the EIP-712 digest of
 * `Epoch(bytes32 network,uint64 epoch,uint64 quorum,address[] signers)` with the signers in ascending order.
 */
export function epochDigest(network: Hash, epoch: Epoch): Uint8Array {
  const signers = sortedKeys(epoch).map((key) => concatBytes(new Uint8Array(12), addressBytes(key)));
  return typedDataDigest(
    concatBytes(
      EPOCH_TYPE,
      hashBytes(network),
      uint256(epoch.epoch),
      uint256(epoch.quorum),
      keccak256(concatBytes(...signers)),
    ),
  );
}

export function sealEpoch(signer: Signer<CertificateKey>, network: Hash, epoch: Epoch): string {
  return signer.sign(epochDigest(network, epoch));
}

export function verifySeal(verify: Verify, network: Hash, epoch: Epoch, { key, signature }: EpochSeal): boolean {
  return verify(key, epochDigest(network, epoch), signature);
}

/** An epoch as connected systems take it: `0x` hexadecimal, as many signatures as the epoch before asks for, ascending by signer. */
export type SystemEpoch = {
  readonly network: `0x${string}`;
  readonly epoch: number;
  readonly quorum: number;
  readonly signers: readonly `0x${string}`[];
  readonly signatures: readonly `0x${string}`[];
};

export function epochForSystems(
  network: Hash,
  epoch: Epoch,
  seals: readonly EpochSeal[],
  quorumBefore: number,
): SystemEpoch {
  return {
    network: hashToHex(network),
    epoch: epoch.epoch,
    quorum: epoch.quorum,
    signers: sortedKeys(epoch).map(addressOf),
    signatures: seals
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, quorumBefore)
      .map(({ signature }): `0x${string}` => `0x${signature}`),
  };
}

const EPOCH_TYPE = typeHash('Epoch(bytes32 network,uint64 epoch,uint64 quorum,address[] signers)');

function sortedKeys({ members }: Epoch): CertificateKey[] {
  return members.map(({ certificateKey }) => certificateKey).toSorted();
}
