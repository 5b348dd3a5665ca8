import {
  accept,
  canonicalJson,
  checkBic,
  checkIsin,
  checkLei,
  type JsonObject,
  networkId,
  type ProblemCode,
  problem,
  quorumFor,
  refuse,
  type Result,
  systemOfAccount,
  type SystemRecord,
} from '@linkspan/protocol';
import type { Context } from './apply-calls.ts';
import { ACCOUNT, INSTRUMENT, NETWORK, ORGANISATION, PARTY, SYSTEM, type Table } from './store.ts';
import type { Stored, World } from './world.ts';

/** The first call of a network, by any of its organisations. The hash of the genesis is the network's id. */
export function genesis({ world, call, body, organisation }: Context<'genesis'>): Result<JsonObject> {
  const document = body.genesis;
  const known = NETWORK.get(world, 'genesis');
  const id = networkId(document);
  if (known)
    return known.id === id ? accept({ network: id }) : refuse('already-registered', 'The network has another genesis.');
  if (call.network !== id)
    return refuse('network-mismatch', `The genesis makes the network ${id}, the call is for ${call.network}.`);
  const { organisations, quorum } = document;
  if (!organisations.some((each) => each.id === organisation))
    return refuse('not-entitled', `${organisation} is no organisation of the genesis.`);
  const names = [
    organisations.map((o) => o.id),
    organisations.map((o) => o.callKey),
    organisations.map((o) => o.certificateKey),
  ];
  if (names.some((values) => new Set<string>(values).size !== values.length)) {
    return refuse('record-invalid', 'Two organisations of the genesis share an id or a key.');
  }
  if (quorum !== quorumFor(organisations.length)) {
    return refuse(
      'quorum-invalid',
      `${organisations.length} organisations need a quorum of ${quorumFor(organisations.length)}, not ${quorum}.`,
    );
  }
  NETWORK.put(world, { id, epoch: 1, genesis: document }, 'genesis');
  for (const each of organisations) ORGANISATION.put(world, each, each.id);
  return accept({ network: id });
}

/** A system, by its owner. More than half of its validators must agree, or two of them could each have their own truth accepted. */
export function registerSystem({ world, body, organisation }: Context<'register-system'>): Result<JsonObject> {
  const { system } = body;
  if (system.owner !== organisation)
    return refuse('not-entitled', 'A system is registered by the organisation that owns it.');
  const wrong = validatorsProblem(system.validators);
  if (wrong !== undefined) return refuse('record-invalid', wrong);
  if (system.windows.some(({ from, to }) => from >= to))
    return refuse('record-invalid', 'A window ends before it begins.');
  return put(world, SYSTEM, system, system.id);
}

/** What is wrong with a system's validators, in words. */
export function validatorsProblem({ keys, threshold }: SystemRecord['validators']): string | undefined {
  if (new Set(keys).size !== keys.length) return 'Two validators share a key.';
  return threshold > keys.length || 2 * threshold <= keys.length
    ? `${threshold} of ${keys.length} validators is not a majority.`
    : undefined;
}

/** A party, by the organisation that speaks for it. The first registration stands: nobody can take a party over. */
export function registerParty({ world, body, organisation }: Context<'register-party'>): Result<JsonObject> {
  const { party } = body;
  if (party.organisation !== organisation)
    return refuse('not-entitled', 'A party is registered by the organisation that speaks for it.');
  const lei = checkLei(party.lei);
  if (!lei.ok) return invalid('/party/lei', lei.code, lei.message);
  const bic = checkBic(party.bic);
  if (!bic.ok) return invalid('/party/bic', bic.code, bic.message);
  return put(world, PARTY, party, party.lei);
}

/** An account, by the owner of its system. */
export function registerAccount({ world, body, organisation }: Context<'register-account'>): Result<JsonObject> {
  const { account } = body;
  const system = SYSTEM.get(world, systemOfAccount(account.id));
  if (!system) return refuse('not-registered', `The system of ${account.id} is not registered.`);
  if (system.owner !== organisation)
    return refuse('not-entitled', `Accounts in ${system.id} are registered by ${system.owner}.`);
  if (!PARTY.get(world, account.party))
    return refuse('not-registered', `No party with the LEI ${account.party} is registered.`);
  return put(world, ACCOUNT, account, account.id);
}

/** A security, by the owner of the system that keeps it. */
export function registerInstrument({ world, body, organisation }: Context<'register-instrument'>): Result<JsonObject> {
  const { instrument } = body;
  const isin = checkIsin(instrument.isin);
  if (!isin.ok) return invalid('/instrument/isin', isin.code, isin.message);
  const system = SYSTEM.get(world, instrument.system);
  if (!system) return refuse('not-registered', `The system ${instrument.system} is not registered.`);
  if (system.owner !== organisation)
    return refuse('not-entitled', `Instruments in ${system.id} are registered by ${system.owner}.`);
  if (!system.types.includes('securities')) return refuse('record-invalid', `${system.id} does not keep securities.`);
  return put(world, INSTRUMENT, instrument, instrument.isin);
}

function put<T extends Stored>(world: World, table: Table<T>, value: T, id: string): Result<JsonObject> {
  const known = table.get(world, id);
  if (known && canonicalJson(known) !== canonicalJson(value))
    return refuse('already-registered', `${id} is registered with other content.`);
  if (!known) table.put(world, value, id);
  return accept({ id });
}

function invalid(pointer: string, code: ProblemCode, message: string): Result<JsonObject> {
  return refuse('record-invalid', message, { problems: [problem(pointer, code, message)] });
}
