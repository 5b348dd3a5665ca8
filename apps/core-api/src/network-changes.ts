import type { CallWriter, OrganisationSigners } from '@linkspan/coordinator';
import type { ChangeView, NetworkView } from '@linkspan/contract';
import type { Ledger } from '@linkspan/ledger';
import {
  accept,
  canonicalJson,
  type ChangesBody,
  type EpochsBody,
  epochAfter,
  Fault,
  formatInstant,
  hashSchema,
  invariant,
  type JsonObject,
  type NetworkChange,
  parse,
  refuse,
  type Result,
  sealEpoch,
} from '@linkspan/protocol';
import { nonceOf } from './lodge-instruction.ts';
import type { Requests, Sender } from './requests.ts';

/** What an organisation does about changes of the network. Refusals are those of {@link Requests} and of the contract. */
export type NetworkChanges = {
  list(): Promise<ChangesBody>;
  epochs(): Promise<EpochsBody>;
  propose(sender: Sender, change: NetworkChange): Promise<Result<JsonObject>>;
  approve(sender: Sender, id: string): Promise<Result<JsonObject>>;
  confirm(sender: Sender, epoch: string): Promise<Result<JsonObject>>;
};

export type NetworkChangesParts = {
  readonly organisation: string;
  readonly ledger: Ledger;
  readonly writer: CallWriter;
  readonly requests: Requests;
  readonly signers: OrganisationSigners;
};

/** Approvals of a change that makes an epoch carry this organisation's signature over that epoch, by the certificate key that counts now. */
export function createNetworkChanges(parts: NetworkChangesParts): NetworkChanges {
  const { ledger, writer, requests } = parts;
  return {
    list: async () => changesBody(await readChanges(ledger)),
    epochs: () => readEpochs(ledger),
    propose: (sender, change) =>
      requests.once(sender, { type: 'propose-change', change }, async (request, isRecorded) => {
        const isSame = (known: ChangeView): boolean => canonicalJson(known.change) === canonicalJson(change);
        if (isRecorded) return standingOf((await readChanges(ledger)).findLast(isSame));
        const network = await readNetwork(ledger);
        const body = {
          type: 'propose-change',
          change,
          epoch: network.epoch,
          ...sealFor(parts, network, change),
        } as const;
        return writer.write(sender.actor, nonceOf(request), body, request);
      }),
    approve: (sender, text) =>
      requests.once(sender, { type: 'approve-change', change: text }, async (request, isRecorded) => {
        const id = parse(hashSchema, text, 'request-invalid');
        if (!id.ok) return id;
        const known = (await readChanges(ledger)).find((change) => change.id === id.value);
        if (isRecorded || !known) return standingOf(known);
        const seal = sealFor(parts, await readNetwork(ledger), known.change);
        const body = { type: 'approve-change', change: id.value, ...seal } as const;
        return writer.write(sender.actor, nonceOf(request), body, request);
      }),
    confirm: (sender, text) =>
      requests.once(sender, { type: 'confirm-epoch', epoch: text }, async (request, isRecorded) => {
        const epoch = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
        if (isRecorded) return confirmationOf(await readNetwork(ledger), epoch);
        if (epoch < 2)
          return refuse('epoch-not-announced', `${text.slice(0, 20)} is no epoch that a change could make.`);
        return writer.write(sender.actor, nonceOf(request), { type: 'confirm-epoch', epoch }, request);
      }),
  };
}

function sealFor(
  { organisation, signers }: NetworkChangesParts,
  network: NetworkView,
  change: NetworkChange,
): { readonly seal?: string } {
  const next = epochAfter(network.current, change);
  const key = network.current.members.find((member) => member.organisation === organisation)?.certificateKey;
  const signer = [signers.certificate, signers.nextCertificate].find((each) => each?.key === key);
  const counts = key !== undefined && !network.revoked.includes(key);
  return next && signer && counts ? { seal: sealEpoch(signer, network.id, next) } : {};
}

/** What was asked under this Idempotency-Key was done; where it stands may have moved on since. */
function standingOf(known: ChangeView | undefined): Result<JsonObject> {
  if (!known) return refuse('not-registered', 'There is no such change.');
  const { id, standing, approvals } = known;
  return accept({ change: id, standing, approvals: approvals.map(({ organisation }) => organisation) });
}

function confirmationOf({ epoch: present, announced }: NetworkView, epoch: number): Result<JsonObject> {
  const confirmed = announced?.epoch === epoch ? [...announced.confirmed] : [];
  return accept({ epoch, confirmed, begun: present >= epoch });
}

function changesBody(changes: readonly ChangeView[]): ChangesBody {
  return {
    changes: changes.map(({ id, change, epoch, proposedBy, approvals, standing }) => ({
      id,
      change,
      epoch,
      proposedBy,
      standing,
      approvals: approvals.map(({ organisation }) => organisation),
    })),
  };
}

async function readEpochs(ledger: Ledger): Promise<EpochsBody> {
  const [answer, { announced }] = await Promise.all([ledger.evaluate('epochs', {}), readNetwork(ledger)]);
  invariant(answer.ok, 'epochs are never refused');
  return {
    epochs: answer.value.map(({ epoch, quorum, members, change, announcedAt, begunAt, forSystems }) => ({
      epoch,
      quorum,
      members: members.map((member) => ({ ...member })),
      change,
      announcedAt: formatInstant(announcedAt),
      begunAt: begunAt === null ? null : formatInstant(begunAt),
      confirmed: announced?.epoch === epoch ? [...announced.confirmed] : [],
      forSystems: { ...forSystems, signers: [...forSystems.signers], signatures: [...forSystems.signatures] },
    })),
  };
}

async function readChanges(ledger: Ledger): Promise<readonly ChangeView[]> {
  const answer = await ledger.evaluate('changes', {});
  invariant(answer.ok, 'changes are never refused');
  return answer.value;
}

async function readNetwork(ledger: Ledger): Promise<NetworkView> {
  const answer = await ledger.evaluate('network', {});
  invariant(answer.ok, 'the network is never refused');
  if (!answer.value) throw new Fault('ledger-unavailable', 'The ledger has no genesis yet.');
  return answer.value;
}
