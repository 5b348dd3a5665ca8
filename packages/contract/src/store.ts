import type {
  AccountRecord,
  CertificateShare,
  Entry,
  Genesis,
  Hash,
  InstrumentRecord,
  JsonObject,
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

export const NETWORK = table<{ readonly id: Hash; readonly epoch: number; readonly genesis: Genesis }>('network');
export const ORGANISATION = table<Organisation>('organisation');
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
