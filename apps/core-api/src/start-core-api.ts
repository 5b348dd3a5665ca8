import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CallWriter,
  type Clock,
  createCoordinator,
  type Log,
  openSigningJournal,
  type OrganisationSigners,
} from '@linkspan/coordinator';
import { createVerify, type FilesState } from '@linkspan/keys';
import type { ArchivedLedger } from '@linkspan/ledger';
import { createVerifier, type Verifier } from '@linkspan/plugin';
import { type Broken, Fault, type Hash, invariant, type Verify } from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { openAuthentication } from './authentication/authentication.ts';
import type { Limits } from './client-limits.ts';
import type { CoreApiConfig, ListenConfig, OrganisationConfig, PeerConfig, SystemConfig } from './config.ts';
import { createDirectory, type Directory } from './directory.ts';
import { certificatesEnd, filesBroken } from './file-measurements.ts';
import { createHttpPeers } from './http-peers.ts';
import { createLodging } from './lodge-instruction.ts';
import { type Measurements, openMeasurements } from './measurements.ts';
import { createNetworkChanges } from './network-changes.ts';
import { openLedger } from './open-ledger.ts';
import { createOperatorCalls } from './operator-calls.ts';
import { readSigners } from './organisation-keys.ts';
import { createReadiness } from './readiness.ts';
import { registerNetwork } from './register-network.ts';
import { createRequests } from './requests.ts';
import { createServer } from './server.ts';

export type StartOptions = {
  readonly log: Logger;
  readonly onBroken: (error: Broken) => void;
  /** UTC milliseconds. */
  readonly now: () => number;
  /** The files that may be renewed, where the configuration names any. */
  readonly files?: () => FilesState;
};

/** A running process: the base URL of each organisation's API. Disposing closes everything in order, the ledger last. */
export type RunningCoreApi = AsyncDisposable & {
  readonly network: Hash;
  readonly urls: Readonly<Record<string, string>>;
};

/**
 * Opens the ledger, makes the network known to it, starts each organisation's coordinator and then its API. Throws a Fault with one sentence for
 * an operator: `configuration-invalid`, `storage-unavailable` (also for a ledger that another process has open) or `storage-corrupt`.
 */
export async function startCoreApi(config: CoreApiConfig, options: StartOptions): Promise<RunningCoreApi> {
  const { network, genesis } = config;
  const { now } = options;
  await using opened = new AsyncDisposableStack();
  const verify = createVerify({ memoize: SIGNATURES_REMEMBERED });
  const ledger = opened.use(await openLedger(config.ledger, { verify, now, toleranceMs: genesis.toleranceMs }));
  const known = await ledger.evaluate('network', {});
  invariant(known.ok, 'the network is never refused');
  const organisations = config.organisations.map((one) => ({
    ...one,
    signers: readSigners(one, genesis, known.value),
  }));
  const removed = known.value?.removed ?? [];
  await registerNetwork(
    ledger,
    network,
    genesis,
    organisations
      .filter(({ id }) => !removed.includes(id))
      .map(({ id, register, signers }) => ({ id, register, signer: signers.call })),
    config.ledger.kind === 'fabric' ? OTHERS_REGISTER_WITHIN_MS : 0,
  );
  // The addresses of those that run here are known once they listen.
  const addresses: Record<string, string> = membersOf(config.peers, 'url');
  const names = membersOf(config.peers, 'name');
  const { limits } = config;
  const measured = options.files ? [certificatesEnd(options.files, now), filesBroken(options.files)] : [];
  const measurements = opened.use(await openMeasurements(ledger, options.log, now, measured));
  const directory = createDirectory(ledger);
  const shared = { network, ledger, verify, addresses, names, directory, limits, measurements, options };
  const servers: { readonly id: string; readonly listen: ListenConfig; readonly server: FastifyInstance }[] = [];
  for (const one of organisations) {
    const server = await openOrganisation(opened, shared, one);
    servers.push({ id: one.id, listen: one.listen, server });
  }
  const urls: Record<string, string> = {};
  for (const { id, listen: where, server } of servers) {
    const url = await listen(server, id, where);
    urls[id] = url;
    // Where others reach it by another address, so does this process: its certificate is of that one.
    addresses[id] ??= url;
  }
  const closing = opened.move();
  return { network, urls, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

type Shared = {
  readonly network: Hash;
  readonly ledger: ArchivedLedger;
  readonly verify: Verify;
  readonly addresses: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
  readonly directory: Directory;
  readonly limits: Limits;
  readonly measurements: Measurements;
  readonly options: StartOptions;
};

/** On a ledger of several processes the others may start later than this one. */
const OTHERS_REGISTER_WITHIN_MS = 60_000;
/** What a root was found to be signed by is asked again for every call, statement and share that it covers. */
const SIGNATURES_REMEMBERED = 20_000;

/** One organisation's coordinator and API, which is not listening yet. Everything opened is closed with the stack, in reverse order. */
async function openOrganisation(
  opened: AsyncDisposableStack,
  shared: Shared,
  organisation: OrganisationConfig & { readonly signers: OrganisationSigners },
): Promise<FastifyInstance> {
  const { network, ledger, verify, addresses, names, directory, limits, measurements, options } = shared;
  const { id, signers } = organisation;
  const peers = opened.use(createHttpPeers(addresses, { tls: organisation.client, names }));
  const { files } = options;
  const { systems, certificateFiles } = organisation;
  const needed = { organisation: id, ledger, directory, systems, peers, files, certificateFiles };
  const readiness = opened.use(createReadiness(needed, options.now));
  const log = options.log.child({ organisation: id });
  const verifiers = new Map<string, Verifier>();
  for (const system of organisation.systems)
    verifiers.set(system.id, opened.use(await openVerifier(shared, id, system)));
  mkdirSync(dirname(organisation.journal), { recursive: true, mode: 0o700 });
  const coordinator = opened.use(
    await createCoordinator({
      organisation: id,
      ledger,
      signers,
      verifiers,
      peers,
      // The coordinator closes it.
      journal: openSigningJournal(organisation.journal),
      verify,
      clock: clockOf(options.now),
      log: logOf(log),
    }),
  );
  const writer = new CallWriter(ledger, network, id, signers.call, signers.nextCall);
  const caller = { ledger, writer, requests: createRequests(id, ledger) };
  const services = {
    organisation: id,
    ledger,
    archive: ledger.archive,
    directory,
    lodging: createLodging(caller),
    calls: createOperatorCalls(caller),
    changes: createNetworkChanges({ ...caller, organisation: id, signers }),
    coordinator,
    readiness: readiness.ask,
    measurements,
    systems: [...verifiers.values()],
  };
  const authentication = openAuthentication(organisation.authentication, () => shared.addresses[id] ?? '', options.now);
  const { [id]: _, ...others } = names;
  const tls = organisation.listen.tls && { credentials: organisation.listen.tls, names: others };
  const server = createServer({ services, authentication, tls, log, limits, onBroken: options.onBroken });
  opened.defer(() => server.close());
  return server;
}

/** The Verifier of a system as it is registered: validators that are not, or a system of somebody else, would only be found out by their silence. */
async function openVerifier(
  { network, ledger, verify, options }: Shared,
  organisation: string,
  { id, validators }: SystemConfig,
): Promise<Verifier> {
  const system = await ledger.evaluate('system', { id });
  if (!system.ok || !system.value) throw new Fault('configuration-invalid', `The system ${id} is not registered.`);
  const { owner, validators: registered } = system.value;
  if (owner !== organisation)
    throw new Fault('configuration-invalid', `The system ${id} belongs to ${owner}, not to ${organisation}.`);
  // Of a validator with two keys one is registered, and the ledger says from when on it is the other one.
  const isKnown = (url: string): boolean =>
    validators.some((one) => one.url === url && registered.keys.includes(one.key));
  const stranger = validators.find(({ key, url }) => !registered.keys.includes(key) && !isKnown(url));
  if (stranger) throw new Fault('configuration-invalid', `${stranger.key} is no registered validator of ${id}.`);
  const { log } = options;
  return createVerifier({
    network,
    system: id,
    validators,
    threshold: registered.threshold,
    verify,
    onRefusal: (key, operation, refusal) =>
      log.warn({ system: id, key, operation: operation.id, code: refusal.code }, refusal.message),
    onSilence: (key, operation, fault) => log.debug({ system: id, key, operation: operation.id }, fault.message),
  });
}

async function listen(server: FastifyInstance, organisation: string, { host, port }: ListenConfig): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be listened on (${code})`;
    throw new Fault('configuration-invalid', `The port ${port} of ${organisation} ${why}.`, { cause });
  }
}

function membersOf(peers: CoreApiConfig['peers'], member: keyof PeerConfig): Record<string, string> {
  const entries = Object.entries(peers).flatMap(([id, peer]) => {
    const value = peer[member];
    return value === undefined ? [] : [[id, value.replace(/\/$/, '')] as const];
  });
  return Object.fromEntries(entries);
}

function clockOf(now: () => number): Clock {
  return {
    now,
    async sleep(ms, signal) {
      // Woken by the signal, it resolves as well: the sleeper looks at the signal by itself.
      await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
    },
  };
}

function logOf(log: Logger): Log {
  return (level, message, fields = {}) => log[level](fields, message);
}
