import type { CertificateKey, Epoch } from '@linkspan/protocol';
import type { StoredNetwork } from './store.ts';

/** The epoch that has begun and not ended. */
export function currentEpoch({ current, epoch, genesis }: StoredNetwork): Epoch {
  if (current) return current;
  const members = genesis.organisations.map(({ id, certificateKey }) => ({ organisation: id, certificateKey }));
  return { epoch, quorum: genesis.quorum, members };
}

/** The epochs whose certificates count: the present one, and the one that is announced. */
export function epochsInForce(network: StoredNetwork): Epoch[] {
  const current = currentEpoch(network);
  return network.announced ? [current, network.announced] : [current];
}

/** Whose signatures on certificates of an epoch count; none where the epoch is not in force. */
export function certificateKeysOf(network: StoredNetwork, epoch: number): readonly CertificateKey[] | undefined {
  const inForce = epochsInForce(network).find((each) => each.epoch === epoch);
  return inForce?.members
    .map(({ certificateKey }) => certificateKey)
    .filter((key) => !(network.revoked ?? []).includes(key));
}
