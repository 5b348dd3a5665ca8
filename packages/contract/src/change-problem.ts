import {
  epochAfter,
  keysBroughtBy,
  type NetworkChange,
  type PublicKey,
  type Refusal,
  type ErrorCode,
} from '@linkspan/protocol';
import { validatorsProblem } from './environment.ts';
import { currentEpoch, epochsInForce } from './epochs.ts';
import { ORGANISATION, SCENARIO, type StoredNetwork, SUSPENDED, SYSTEM, USED_KEY } from './store.ts';
import type { World } from './world.ts';

/** Organisations in a network at most, as in a genesis. */
const MAXIMUM_MEMBERS = 32;

/** Why a change cannot be made to the network as it is, or undefined where it can. */
export function changeProblem(world: World, network: StoredNetwork, change: NetworkChange): Refusal | undefined {
  const used = keysBroughtBy(change).find((key) => isUsed(world, network, key));
  if (used !== undefined) return refusal('key-used', `${used} is or was somebody’s key already.`);
  const wrong = ofItsKind(world, network, change);
  if (wrong) return wrong;
  const next = epochAfter(currentEpoch(network), change);
  return (
    next &&
    lostQuorum(
      next.members.map(({ certificateKey }) => certificateKey),
      network.revoked,
      next.quorum,
    )
  );
}

function ofItsKind(world: World, network: StoredNetwork, change: NetworkChange): Refusal | undefined {
  const { members } = currentEpoch(network);
  const isMember = (id: string): boolean => members.some(({ organisation }) => organisation === id);
  switch (change.what) {
    case 'admit': {
      const { id } = change.organisation;
      if (ORGANISATION.get(world, id)) return refusal('already-registered', `${id} is or was a member already.`);
      return members.length >= MAXIMUM_MEMBERS
        ? refusal('record-invalid', `A network has at most ${MAXIMUM_MEMBERS} organisations.`)
        : undefined;
    }
    case 'remove':
      return isMember(change.organisation) ? undefined : noMember(change.organisation);
    case 'rotate':
      if (!isMember(change.organisation)) return noMember(change.organisation);
      return keysBroughtBy(change).length > 0
        ? undefined
        : refusal('record-invalid', 'A rotation brings at least one new key.');
    case 'rotate-validators':
      return validatorsWrong(world, change);
    case 'revoke':
      return revocationWrong(world, network, change);
    case 'revoke-validator': {
      const keys = SYSTEM.get(world, change.system)?.validators.keys ?? [];
      return keys.includes(change.key)
        ? undefined
        : refusal('not-registered', `${change.key} is no validator key of ${change.system}.`);
    }
    case 'retire-scenario': {
      const known = SCENARIO.get(world, change.scenario);
      if (known?.retired === true) return refusal('already-registered', `${change.scenario} is retired already.`);
      return known?.hash === change.hash
        ? undefined
        : refusal('not-registered', `No scenario ${change.scenario} with the hash ${change.hash} is registered.`);
    }
  }
}

function validatorsWrong(
  world: World,
  { system, validators }: Extract<NetworkChange, { readonly what: 'rotate-validators' }>,
): Refusal | undefined {
  if (!SYSTEM.get(world, system)) return refusal('not-registered', `The system ${system} is not registered.`);
  const wrong = validatorsProblem(validators);
  if (wrong !== undefined) return refusal('record-invalid', wrong);
  const suspended = SUSPENDED.get(world, system)?.keys ?? [];
  const lost = validators.keys.find((key) => suspended.includes(key));
  return lost === undefined ? undefined : refusal('key-revoked', `${lost} was withdrawn and does not come back.`);
}

/** A key may go as long as a quorum is left that could give its owner another one. */
function revocationWrong(
  world: World,
  network: StoredNetwork,
  { organisation: id, key }: Extract<NetworkChange, { readonly what: 'revoke' }>,
): Refusal | undefined {
  const current = currentEpoch(network);
  const member = current.members.find(({ organisation }) => organisation === id);
  if (!member) return noMember(id);
  const known = ORGANISATION.get(world, id);
  if ((known?.callKey === key && known.revoked === true) || isRevoked(network, key))
    return refusal('key-revoked', `${key} was revoked before.`);
  if (known?.callKey === key) {
    const speaking = current.members.filter(
      ({ organisation }) => organisation !== id && ORGANISATION.get(world, organisation)?.revoked !== true,
    );
    return speaking.length < current.quorum ? tooFew(speaking.length, current.quorum) : undefined;
  }
  const inForce = epochsInForce(network);
  const isCounted = ({ members }: (typeof inForce)[number]): boolean =>
    members.some(({ organisation, certificateKey }) => organisation === id && certificateKey === key);
  if (!inForce.some(isCounted)) return refusal('not-registered', `${key} is no key of ${id}.`);
  const revoked = [...(network.revoked ?? []), key];
  for (const { members, quorum } of inForce) {
    const lost = lostQuorum(
      members.map(({ certificateKey }) => certificateKey),
      revoked,
      quorum,
    );
    if (lost) return lost;
  }
  return undefined;
}

function lostQuorum(
  keys: readonly PublicKey[],
  revoked: readonly PublicKey[] | undefined,
  quorum: number,
): Refusal | undefined {
  const live = keys.filter((key) => !(revoked ?? []).includes(key)).length;
  return live < quorum || keys.length < 2 ? tooFew(live, quorum) : undefined;
}

function tooFew(left: number, quorum: number): Refusal {
  return refusal(
    'quorum-lost',
    `${left} keys would be left, and ${quorum} make a quorum: nothing could ever be certified or changed again.`,
  );
}

function isUsed(world: World, { genesis }: StoredNetwork, key: PublicKey): boolean {
  const isOf = ({ callKey, certificateKey }: (typeof genesis.organisations)[number]): boolean =>
    callKey === key || certificateKey === key;
  return genesis.organisations.some(isOf) || USED_KEY.get(world, key) !== undefined;
}

function isRevoked({ revoked = [] }: StoredNetwork, key: PublicKey): boolean {
  return revoked.some((each) => each === key);
}

function noMember(id: string): Refusal {
  return refusal('not-registered', `${id} is no member of the network.`);
}

function refusal(code: ErrorCode, message: string): Refusal {
  return { code, message };
}
