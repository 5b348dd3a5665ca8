import {
  type CertificateKey,
  certificateKeySchema,
  invariant,
  type NetworkChange,
  type SigningKey,
} from '@linkspan/protocol';
import { ORGANISATION, SCENARIO, type StoredNetwork, type StoredOrganisation, SUSPENDED, SYSTEM } from './store.ts';
import type { World } from './world.ts';

/** Lets an approved change take effect on what is registered; gives the network as it is afterwards. */
export function applyChange(world: World, network: StoredNetwork, change: NetworkChange): StoredNetwork {
  switch (change.what) {
    case 'admit':
      ORGANISATION.put(world, change.organisation, change.organisation.id);
      return network;
    case 'remove':
      return { ...network, removed: [...(network.removed ?? []), change.organisation] };
    case 'rotate': {
      const { revoked, ...known } = organisationOf(world, change.organisation);
      const { callKey = known.callKey, certificateKey = known.certificateKey } = change;
      // A call key that was revoked stays so where only the certificate key is replaced.
      const stays = revoked === true && change.callKey === undefined ? { revoked } : {};
      ORGANISATION.put(world, { ...known, callKey, certificateKey, ...stays }, change.organisation);
      return network;
    }
    case 'rotate-validators': {
      const system = SYSTEM.get(world, change.system);
      invariant(system, 'the change was checked');
      SYSTEM.put(world, { ...system, validators: change.validators }, system.id);
      return network;
    }
    case 'revoke': {
      const organisation = organisationOf(world, change.organisation);
      if (organisation.callKey !== change.key)
        return { ...network, revoked: [...(network.revoked ?? []), ...certificateKeyOf(change.key)] };
      ORGANISATION.put(world, { ...organisation, revoked: true }, organisation.id);
      return network;
    }
    case 'revoke-validator':
      suspend(world, change.system, change.key);
      return network;
    case 'retire-scenario': {
      const scenario = SCENARIO.get(world, change.scenario);
      invariant(scenario, 'the change was checked');
      SCENARIO.put(world, { ...scenario, retired: true }, change.scenario);
      return network;
    }
  }
}

/** A validator key that was revoked counts as one that contradicted itself: its statements are made again by others. */
function suspend(world: World, system: string, key: SigningKey): void {
  const suspended = SUSPENDED.get(world, system)?.keys ?? [];
  SUSPENDED.put(world, { keys: [...new Set([...suspended, key])].toSorted() }, system);
}

function organisationOf(world: World, id: string): StoredOrganisation {
  const organisation = ORGANISATION.get(world, id);
  invariant(organisation, 'the change was checked');
  return organisation;
}

function certificateKeyOf(key: string): CertificateKey[] {
  const parsed = certificateKeySchema.safeParse(key);
  return parsed.success ? [parsed.data] : [];
}
