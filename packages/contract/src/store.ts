import type {
  AccountRecord,
  CertificateKey,
  CertificateShare,
  Entry,
  Epoch,
  EpochSeal,
  Genesis,
  Hash,
  InstrumentRecord,
  JsonObject,
  NetworkChange,
  Organisation,
  PartyRecord,
  RegisteredScenario,
  SignedStatement,
  SigningKey,
  SystemRecord,
} from '@linkspan/protocol';
import type { Settlement } from '@linkspan/scenario';
import type { Stored, World } from './world.ts';

/** One kind of record under keys `name/…`. What is read was written here, so its type holds. */
export type Table<T extends Stored> = {
  readonly prefix: string;
  key(...parts: readonly (string | number)[]): string;
  get(world: Pick<World, 'get'>, ...parts: readonly (string | number)[]): T | undefined;
  put(world: World, value: T, ...parts: readonly (string | number)[]): void;
  delete(world: World, ...parts: readonly (string | number)[]): void;
  read(stored: Stored): T;
};

/** A settlement's state with the hash of its last entry. */
export type StoredSettlement = { readonly state: Settlement; readonly head: Hash };
/** A trade id among the organisations that must lodge it: the open proposal, or the settlement that used it for ever. */
export type TradeSlot = { readonly round: number; readonly open: Hash | null; readonly used: Hash | null };
/** What was asked under a client's Idempotency-Key. */
export type StoredRequest = { readonly body: Hash };
export type ProposalLink = { readonly proposal: Hash };

/** Everything about the network that a call may need, in one record. What is not there is as the genesis says. */
export type StoredNetwork = {
  readonly id: Hash;
  readonly epoch: number;
  readonly genesis: Genesis;
  /** Who signs certificates in this epoch; without it, the organisations of the genesis. */
  readonly current?: Epoch;
  /** The epoch that is approved and has not begun. Its certificates count beside those of the present one. */
  readonly announced?: AnnouncedEpoch;
  /** Certificate keys that were withdrawn. */
  readonly revoked?: readonly CertificateKey[];
  readonly removed?: readonly string[];
  /** How many changes have taken effect. */
  readonly changes?: number;
};
export type AnnouncedEpoch = Epoch & { readonly change: Hash; readonly confirmed: readonly string[] };
/** An organisation with whether its call key was withdrawn. */
export type StoredOrganisation = Organisation & { readonly revoked?: boolean };
/** A change that was proposed in an epoch, and who approves it. */
export type StoredChange = {
  readonly change: NetworkChange;
  readonly epoch: number;
  readonly proposedBy: string;
  readonly approvals: readonly ChangeApproval[];
  readonly standing: 'proposed' | 'announced' | 'effective';
};
export type ChangeApproval = { readonly organisation: string; readonly seal?: EpochSeal };
/** An epoch that a change made: what systems install, and when it began (UTC milliseconds). */
export type StoredEpoch = Epoch & {
  readonly change: Hash;
  readonly seals: readonly EpochSeal[];
  readonly announcedAt: number;
  readonly begunAt: number | null;
};

export const NETWORK = table<StoredNetwork>('network');
export const ORGANISATION = table<StoredOrganisation>('organisation');
export const CHANGE = table<StoredChange>('change');
export const EPOCH = table<StoredEpoch>('epoch');
/** Keys that changes brought in, so that none is ever used twice. */
export const USED_KEY = table<{ readonly change: Hash }>('used-key');
export const SYSTEM = table<SystemRecord>('system');
export const SUSPENDED = table<{ readonly keys: readonly SigningKey[] }>('suspended');
export const PARTY = table<PartyRecord>('party');
export const ACCOUNT = table<AccountRecord>('account');
export const INSTRUMENT = table<InstrumentRecord>('instrument');
export const SCENARIO = table<RegisteredScenario>('scenario');
export const SLOT = table<TradeSlot>('slot');
export const SETTLEMENT = table<StoredSettlement>('settlement');
export const ENTRY = table<Entry>('entry');
export const SIGNATURES = table<{ readonly shares: readonly CertificateShare[] }>('signatures');
export const EVIDENCE = table<{ readonly statements: readonly SignedStatement[] }>('evidence');
export const CALL = table<{ readonly value: JsonObject }>('call');
export const REQUEST = table<StoredRequest>('request');
/** Indexes, each a record of its own so that no two settlements ever write the same key. */
export const BY_SETTLEMENT = table<ProposalLink>('by-settlement');
export const BY_TRADE = table<ProposalLink>('by-trade');
export const BY_OPENING = table<ProposalLink>('by-opening');
export const OPEN = table<ProposalLink>('open');

function table<T extends Stored>(name: string): Table<T> {
  const prefix = `${name}/`;
  const key = (...parts: readonly (string | number)[]): string => prefix + parts.map(keyPart).join('/');
  // Keys of this prefix are written by this table alone, so what is read has its type.
  const read = (stored: Stored): T => stored as T;
  return {
    prefix,
    key,
    read,
    get(world, ...parts) {
      const stored = world.get(key(...parts));
      return stored === undefined ? undefined : read(stored);
    },
    put: (world, value, ...parts) => world.put(key(...parts), value),
    delete: (world, ...parts) => world.delete(key(...parts)),
  };
}

/** Numbers are padded so that their order as text is their order; a slash or percent sign in text cannot look like a separator. */
function keyPart(part: string | number): string {
  if (typeof part === 'number') return String(part).padStart(15, '0');
  return part.replaceAll('%', '%25').replaceAll('/', '%2F');
}
