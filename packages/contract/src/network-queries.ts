import {
  type CertificateKey,
  type Epoch,
  epochForSystems,
  type Genesis,
  type Hash,
  networkChangeId,
  type Organisation,
  type SystemEpoch,
} from '@linkspan/protocol';
import { currentEpoch } from './epochs.ts';
import {
  type AnnouncedEpoch,
  CHANGE,
  EPOCH,
  NETWORK,
  ORGANISATION,
  type StoredChange,
  type StoredEpoch,
} from './store.ts';
import type { Reader } from './world.ts';

/** The network as it is now. `organisations` are its members with the keys of the present epoch. */
export type NetworkView = {
  readonly id: Hash;
  readonly epoch: number;
  readonly genesis: Genesis;
  readonly current: Epoch;
  /** The epoch that waits to begin, by which change it was made, and who has confirmed it. */
  readonly announced: AnnouncedEpoch | null;
  readonly organisations: readonly Organisation[];
  /** Keys of members that were withdrawn and have not been replaced. */
  readonly revoked: readonly (Organisation['callKey'] | CertificateKey)[];
  readonly removed: readonly string[];
  /** How many changes have taken effect: whoever keeps any of this reads it again when it differs. */
  readonly changes: number;
};
export type EpochView = StoredEpoch & { readonly forSystems: SystemEpoch };
export type ChangeView = StoredChange & { readonly id: Hash };

/** No network has more changes in a lifetime. */
const MAXIMUM_LIST = 10_000;

export function networkView(reader: Reader): NetworkView | null {
  const network = NETWORK.get(reader, 'genesis');
  if (!network) return null;
  const { id, epoch, genesis, announced = null, revoked = [], removed = [], changes = 0 } = network;
  const current = currentEpoch(network);
  const stored = current.members.flatMap(({ organisation }) => ORGANISATION.get(reader, organisation) ?? []);
  const silent = stored.flatMap((each) => (each.revoked === true ? [each.callKey] : []));
  return {
    id,
    epoch,
    genesis,
    current,
    announced,
    organisations: stored.map(({ id: organisation, name, economy, callKey, certificateKey }) => {
      return { id: organisation, name, economy, callKey, certificateKey };
    }),
    revoked: [...silent, ...revoked],
    removed,
    changes,
  };
}

/** Every epoch that a change has made, oldest first. */
export function epochViews(reader: Reader): EpochView[] {
  const network = NETWORK.get(reader, 'genesis');
  if (!network) return [];
  let quorumBefore = network.genesis.quorum;
  return [...reader.range(EPOCH.prefix, { limit: MAXIMUM_LIST })].map(([, stored]) => {
    const epoch = EPOCH.read(stored);
    const forSystems = epochForSystems(network.id, epoch, epoch.seals, quorumBefore);
    quorumBefore = epoch.quorum;
    return { ...epoch, forSystems };
  });
}

/** Every change that was ever proposed. */
export function changeViews(reader: Reader): ChangeView[] {
  const network = NETWORK.get(reader, 'genesis');
  if (!network) return [];
  return [...reader.range(CHANGE.prefix, { limit: MAXIMUM_LIST })].map(([, stored]) => {
    const change = CHANGE.read(stored);
    return { id: networkChangeId(network.id, change.epoch, change.change), ...change };
  });
}
