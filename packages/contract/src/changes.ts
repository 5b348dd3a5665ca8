import {
  accept,
  type Epoch,
  epochAfter,
  type EpochSeal,
  type Hash,
  invariant,
  type JsonObject,
  keysBroughtBy,
  type NetworkChange,
  networkChangeId,
  refuse,
  type Result,
  verifySeal,
} from '@linkspan/protocol';
import type { Context } from './apply-calls.ts';
import { applyChange } from './apply-change.ts';
import { changeProblem } from './change-problem.ts';
import { certificateKeysOf, currentEpoch } from './epochs.ts';
import {
  type AnnouncedEpoch,
  CHANGE,
  EPOCH,
  NETWORK,
  ORGANISATION,
  type StoredChange,
  type StoredNetwork,
  SYSTEM,
  USED_KEY,
} from './store.ts';
import type { World } from './world.ts';

/**
 * Proposes a change of the network for the present epoch, and approves it. Every change takes the same way: it is approved by as many
 * organisations as it needs; then it takes effect at once or, where it touches membership or certificate keys, its epoch is announced.
 */
export function proposeChange({ world, body, organisation }: Context<'propose-change'>): Result<JsonObject> {
  const network = networkOf(world);
  const { change, epoch, seal } = body;
  if (epoch !== network.epoch)
    return refuse('change-outdated', `The network is in epoch ${network.epoch}, not in ${epoch}.`);
  const id = networkChangeId(network.id, epoch, change);
  const known = CHANGE.get(world, id);
  // What took effect may have been changed back since, so it can be wanted once more.
  const open = known?.standing === 'effective' ? undefined : known;
  const stored = open ?? { change, epoch, proposedBy: organisation, approvals: [], standing: 'proposed' };
  return approve(world, network, { id, stored }, organisation, seal);
}

/** Approves exactly the change with this id. */
export function approveChange({ world, body, organisation }: Context<'approve-change'>): Result<JsonObject> {
  const network = networkOf(world);
  const stored = CHANGE.get(world, body.change);
  if (!stored) return refuse('not-registered', `No change ${body.change} is proposed.`);
  if (stored.standing === 'proposed' && stored.epoch !== network.epoch)
    return refuse(
      'change-outdated',
      `The change was proposed in epoch ${stored.epoch}; the network is in epoch ${network.epoch}.`,
    );
  return approve(world, network, { id: body.change, stored }, organisation, body.seal);
}

/** One organisation's word that its systems know the epoch that is announced. With a quorum of the present epoch it begins. */
export function confirmEpoch({ world, body, organisation }: Context<'confirm-epoch'>): Result<JsonObject> {
  const network = networkOf(world);
  const { announced } = network;
  if (announced?.epoch !== body.epoch)
    return refuse(
      'epoch-not-announced',
      `Epoch ${body.epoch} is not announced; the network is in epoch ${network.epoch}.`,
    );
  const current = currentEpoch(network);
  const confirmed = [...new Set([...announced.confirmed, organisation])].toSorted();
  if (confirmed.length < current.quorum) {
    NETWORK.put(world, { ...network, announced: { ...announced, confirmed } }, 'genesis');
    return accept({ epoch: body.epoch, confirmed, begun: false });
  }
  begin(world, network, announced);
  return accept({ epoch: body.epoch, confirmed, begun: true });
}

type Proposed = { readonly id: Hash; readonly stored: StoredChange };

function approve(
  world: World,
  network: StoredNetwork,
  { id, stored }: Proposed,
  organisation: string,
  signature: string | undefined,
): Result<JsonObject> {
  const approves = stored.approvals.some((each) => each.organisation === organisation);
  if (stored.standing !== 'proposed' || approves) return accept(answer(id, stored));
  const wrong = changeProblem(world, network, stored.change);
  if (wrong) return { ok: false, refusal: wrong };
  const next = epochAfter(currentEpoch(network), stored.change);
  if (next && network.announced)
    return refuse('epoch-announced', `Epoch ${network.announced.epoch} is announced and must begin first.`);
  const seal = sealOf(world, network, next, organisation, signature);
  if (!seal.ok) return seal;
  const approvals = [...stored.approvals, { organisation, ...(seal.value ? { seal: seal.value } : {}) }].toSorted(
    (a, b) => (a.organisation < b.organisation ? -1 : 1),
  );
  const approved = { ...stored, approvals };
  if (!isApproved(world, network, approved)) {
    CHANGE.put(world, approved, id);
    return accept(answer(id, approved));
  }
  for (const key of keysBroughtBy(stored.change)) USED_KEY.put(world, { change: id }, key);
  const done: StoredChange = { ...approved, standing: next ? 'announced' : 'effective' };
  CHANGE.put(world, done, id);
  if (next) announce(world, network, done, { ...next, change: id, confirmed: [] });
  else NETWORK.put(world, counted(applyChange(world, network, stored.change)), 'genesis');
  return accept(answer(id, done));
}

/** The signature over the next epoch that an approval must carry, where there is one and the organisation's key still counts. */
function sealOf(
  world: World,
  network: StoredNetwork,
  next: Epoch | undefined,
  organisation: string,
  signature: string | undefined,
): Result<EpochSeal | undefined> {
  if (!next)
    return signature === undefined
      ? accept(undefined)
      : refuse('epoch-seal-invalid', 'The change makes no epoch, so there is nothing to sign.');
  const { epoch, members } = currentEpoch(network);
  const key = members.find((member) => member.organisation === organisation)?.certificateKey;
  const counts = key !== undefined && certificateKeysOf(network, epoch)?.includes(key) === true;
  if (!counts)
    return signature === undefined
      ? accept(undefined)
      : refuse('key-revoked', `The certificate key of ${organisation} was revoked.`);
  if (signature === undefined || !verifySeal(world.verify, network.id, next, { key, signature }))
    return refuse('epoch-seal-invalid', `${organisation} must sign epoch ${next.epoch} with its certificate key.`);
  return accept({ key, signature });
}

/** Whoever owns a key may withdraw it alone; the others only by a quorum. Where systems must be convinced, signatures are counted. */
function isApproved(world: World, network: StoredNetwork, { change, approvals }: StoredChange): boolean {
  const current = currentEpoch(network);
  const organisations = approvals.map(({ organisation }) => organisation);
  const owner = ownerOf(world, change);
  if (change.what === 'revoke' || change.what === 'revoke-validator') {
    const others = organisations.filter((organisation) => organisation !== owner);
    return others.length < organisations.length || others.length >= current.quorum;
  }
  const counting = epochAfter(current, change) ? approvals.filter(({ seal }) => seal !== undefined) : approvals;
  return counting.length >= current.quorum && (owner === undefined || organisations.includes(owner));
}

/** The organisation without which a change of its own keys does not happen, as long as it can speak. */
function ownerOf(world: World, change: NetworkChange): string | undefined {
  switch (change.what) {
    case 'revoke':
      return change.organisation;
    case 'revoke-validator':
      return SYSTEM.get(world, change.system)?.owner;
    case 'rotate':
    case 'rotate-validators': {
      const owner = change.what === 'rotate' ? change.organisation : SYSTEM.get(world, change.system)?.owner;
      return owner !== undefined && canSpeak(world, owner) ? owner : undefined;
    }
    default:
      return undefined;
  }
}

function canSpeak(world: World, organisation: string): boolean {
  const known = ORGANISATION.get(world, organisation);
  return known !== undefined && known.revoked !== true && !networkOf(world).removed?.includes(organisation);
}

function announce(world: World, network: StoredNetwork, { approvals }: StoredChange, announced: AnnouncedEpoch): void {
  const { confirmed: _, ...epoch } = announced;
  const seals = approvals.flatMap(({ seal }) => (seal ? [seal] : []));
  EPOCH.put(world, { ...epoch, seals, announcedAt: world.tx.time, begunAt: null }, epoch.epoch);
  NETWORK.put(world, { ...network, announced }, 'genesis');
}

function begin(world: World, network: StoredNetwork, announced: AnnouncedEpoch): void {
  const { confirmed: _, change: id, ...epoch } = announced;
  const stored = CHANGE.get(world, id);
  const record = EPOCH.get(world, epoch.epoch);
  invariant(stored && record, 'an announced epoch has its change');
  EPOCH.put(world, { ...record, begunAt: world.tx.time }, epoch.epoch);
  CHANGE.put(world, { ...stored, standing: 'effective' }, id);
  const { announced: _ended, ...rest } = applyChange(world, network, stored.change);
  NETWORK.put(world, counted({ ...rest, epoch: epoch.epoch, current: epoch }), 'genesis');
}

function counted(network: StoredNetwork): StoredNetwork {
  return { ...network, changes: (network.changes ?? 0) + 1 };
}

function answer(change: Hash, { standing, approvals }: StoredChange): JsonObject {
  return { change, standing, approvals: approvals.map(({ organisation }) => organisation) };
}

function networkOf(world: World): StoredNetwork {
  const network = NETWORK.get(world, 'genesis');
  invariant(network, 'the caller was checked against the network');
  return network;
}
