import {
  type ChangesBody,
  ENDPOINTS,
  type EpochsBody,
  Fault,
  type NetworkChange,
  type Organisation,
} from '@linkspan/protocol';
import { createTokenSource } from '../access-token.ts';
import { answer, type ApiClient, createApiClient } from '../api-client.ts';
import type { Outcome } from '../failure.ts';
import { OPERATOR } from '../product/api-clients.ts';
import { installEpochs } from './install-epochs.ts';
import { waitUntil } from './node-requests.ts';
import type { PreparedProduct } from './product-processes.ts';

/** An organisation's API, asked as its operator. */
type Speaker = { readonly organisation: string; readonly api: ApiClient };
export type MemberChange = Extract<NetworkChange, { readonly what: 'admit' | 'remove' }>;

/** What the ledger says of its members: those of the present epoch, the epoch that is announced, and who has left. */
export type LedgerMembers = {
  readonly epoch: number;
  readonly announced: number | null;
  readonly organisations: readonly Organisation[];
  readonly removed: readonly string[];
};

/**
 * Who is a member of the ledger, by the first of these organisations whose CoreAPI answers. Throws a Fault `not-ready` with the last one's reason where
 * none does.
 */
export async function membersOnLedger(members: readonly string[], { places }: Prepared): Promise<LedgerMembers> {
  let why = '';
  for (const { api } of members.map((member) => speakerOf(member, places))) {
    const found = await api.get(ENDPOINTS.network.path, answer(ENDPOINTS.network.answer));
    if (found.ok) return found.value;
    why = `${found.failure.title}. ${found.failure.detail}`;
  }
  throw new Fault('not-ready', `No CoreAPI tells who is a member of the ledger: ${why}`);
}

/**
 * Admits or removes a member in the name of organisations that are all on this machine, each by its own CoreAPI: proposed by the first, approved by as many
 * as it takes, installed by every connected system, confirmed until the epoch begins. Goes on from wherever it was left; what is so already is left
 * alone. Throws a Fault with the reason where somebody refuses.
 */
export async function changeMembers(
  members: readonly string[],
  prepared: Prepared,
  change: MemberChange,
  say: (line: string) => void,
): Promise<void> {
  const { places, product } = prepared;
  const speakers = members.map((member) => speakerOf(member, places));
  const present = await membersOnLedger(members, prepared);
  if (
    isMade(
      present.organisations.map(({ id }) => id),
      change,
    )
  )
    return;
  const next = present.epoch + 1;
  if (present.announced === null) await approve(speakers, change, next);
  const epochs = await epochsWith(speakers, next);
  const announced = epochs.find(({ epoch }) => epoch === next);
  if (
    !isMade(
      (announced?.members ?? []).map(({ organisation }) => organisation),
      change,
    )
  )
    throw new Fault('not-ready', `Epoch ${next} is announced for another change: it must be confirmed first.`);
  say(`Epoch ${next} is approved; every connected system installs it.`);
  const own = product.definition.systems.filter(({ owner }) => members.includes(owner));
  await installEpochs(
    own,
    places,
    epochs.map(({ forSystems }) => forSystems),
  );
  await confirm(speakers, next);
  say(
    `Epoch ${next} has begun, with ${announced?.members.length ?? 0} members, of whom ${announced?.quorum ?? 0} must sign.`,
  );
}

type Prepared = Pick<PreparedProduct, 'product' | 'places'>;

function speakerOf(organisation: string, places: Prepared['places']): Speaker {
  const url = places.urlOf(organisation);
  const tokens = createTokenSource({
    clientId: OPERATOR,
    secret: () => ({ ok: true, value: places.secretOf(organisation, OPERATOR) }),
    tokenEndpoint: `${url}/oauth/token`,
  });
  return { organisation, api: createApiClient(url, { tokens }) };
}

function isMade(members: readonly string[], change: MemberChange): boolean {
  return change.what === 'admit' ? members.includes(change.organisation.id) : !members.includes(change.organisation);
}

/** Proposes a change, or finds it proposed, and has it approved until its epoch is announced. */
async function approve(speakers: readonly Speaker[], change: MemberChange, next: number): Promise<void> {
  const [first] = speakers;
  if (!first) return;
  const key = `${change.what} ${idOf(change)} in epoch ${next}`;
  const body = JSON.stringify({ change });
  const { path, answer: form } = ENDPOINTS['propose-change'];
  const proposed = got(first, await first.api.post(path, body, { 'idempotency-key': key }, answer(form)));
  let { standing } = proposed;
  for (const speaker of speakers.slice(1)) {
    if (standing !== 'proposed') return;
    await seen(speaker, async () => (await changesOf(speaker)).some(({ id }) => id === proposed.change));
    const target = ENDPOINTS['approve-change'].path.replace(':id', encodeURIComponent(proposed.change));
    const approved = await speaker.api.post(target, undefined, { 'idempotency-key': key }, answer(form));
    ({ standing } = got(speaker, approved));
  }
  if (standing === 'proposed')
    throw new Fault('not-ready', `Too few organisations are here to ${changeInShort(change)}.`);
}

async function confirm(speakers: readonly Speaker[], epoch: number): Promise<void> {
  const { path, answer: form } = ENDPOINTS['confirm-epoch'];
  for (const speaker of speakers) {
    await epochsWith([speaker], epoch);
    const target = path.replace(':id', String(epoch));
    const key = { 'idempotency-key': `confirm epoch ${epoch}` };
    const { begun } = got(speaker, await speaker.api.post(target, undefined, key, answer(form)));
    if (begun) return;
  }
  throw new Fault('not-ready', `Too few organisations are here for epoch ${epoch} to begin.`);
}

/** Every epoch, as soon as all see the one that is named. */
async function epochsWith(speakers: readonly Speaker[], epoch: number): Promise<EpochsBody['epochs']> {
  let epochs: EpochsBody['epochs'] = [];
  for (const speaker of speakers)
    await seen(speaker, async () => {
      const { path, answer: form } = ENDPOINTS.epochs;
      ({ epochs } = got(speaker, await speaker.api.get(path, answer(form))));
      return epochs.some((each) => each.epoch === epoch);
    });
  return epochs;
}

async function changesOf(speaker: Speaker): Promise<ChangesBody['changes']> {
  const { path, answer: form } = ENDPOINTS.changes;
  return got(speaker, await speaker.api.get(path, answer(form))).changes;
}

/** What one organisation has written another one's peer has a moment later. */
function seen({ organisation }: Speaker, isSeen: () => Promise<boolean>): Promise<void> {
  return waitUntil(`What the ledger of ${organisation} must have first`, isSeen);
}

function got<T>({ organisation }: Speaker, outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { title, detail } = outcome.failure;
  throw new Fault('not-ready', `${organisation} cannot take part: ${title}. ${detail}`);
}

function idOf(change: MemberChange): string {
  return change.what === 'admit' ? change.organisation.id : change.organisation;
}

function changeInShort(change: MemberChange): string {
  return `${change.what} ${idOf(change)}`;
}
