import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { applyCalls, runQuery } from '@linkspan/contract';
import { type Clock, createCoordinator, type Log, openSigningJournal, type Peers } from '@linkspan/coordinator';
import { createVerify, readKeyFile } from '@linkspan/keys';
import { type EmbeddedLedger, openEmbeddedLedger } from '@linkspan/ledger';
import { createVerifier, type Verifier } from '@linkspan/plugin';
import {
  type Broken,
  type CertificateKey,
  Fault,
  type Hash,
  type Signer,
  type SigningKey,
  type Verify,
} from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Limits } from './client-limits.ts';
import type { CoreApiConfig, OrganisationConfig, SystemConfig } from './config.ts';
import { createDirectory, type Directory } from './directory.ts';
import { createHttpPeers } from './http-peers.ts';
import { createLodging } from './lodge-instruction.ts';
import { type Measurements, openMeasurements } from './measurements.ts';
import { createOperatorCalls } from './operator-calls.ts';
import { createReadiness } from './readiness.ts';
import { registerNetwork } from './register-network.ts';
import { createRequests } from './requests.ts';
import { createServer } from './server.ts';

export type StartOptions = {
  readonly log: Logger;
  readonly onBroken: (error: Broken) => void;
  /** UTC milliseconds. */
  readonly now: () => number;
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
  const contract = { applyCalls, runQuery };
  const organisations = config.organisations.map((one) => ({ ...one, signers: readSigners(config, one) }));
  const ledger = opened.use(
    await openEmbeddedLedger({
      directory: config.ledger.directory,
      contract,
      verify,
      now,
      toleranceMs: genesis.toleranceMs,
    }),
  );
  await registerNetwork(
    ledger,
    network,
    genesis,
    organisations.map(({ id, register, signers }) => ({ id, register, signer: signers.call })),
  );
  // The addresses of those that run here are known once they listen.
  const addresses: Record<string, string> = { ...config.peers };
  const peers = opened.use(createHttpPeers(addresses));
  const { limits } = config;
  const measurements = opened.use(await openMeasurements(ledger, options.log, now));
  const directory = createDirectory(ledger);
  const shared = { network, ledger, verify, peers, addresses, directory, limits, measurements, options };
  const servers: { readonly id: string; readonly port: number; readonly server: FastifyInstance }[] = [];
  for (const one of organisations) {
    const server = await openOrganisation(opened, shared, one);
    servers.push({ id: one.id, port: one.port, server });
  }
  const urls: Record<string, string> = {};
  for (const { id, port, server } of servers) {
    const url = await listen(server, id, port);
    urls[id] = url;
    addresses[id] = url;
  }
  const closing = opened.move();
  return { network, urls, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

type Signers = { readonly call: Signer<SigningKey>; readonly certificate: Signer<CertificateKey> };

type Shared = {
  readonly network: Hash;
  readonly ledger: EmbeddedLedger;
  readonly verify: Verify;
  readonly peers: Peers;
  readonly addresses: Readonly<Record<string, string>>;
  readonly directory: Directory;
  readonly limits: Limits;
  readonly measurements: Measurements;
  readonly options: StartOptions;
};

/** What a root was found to be signed by is asked again for every call, statement and share that it covers. */
const SIGNATURES_REMEMBERED = 20_000;
const HOST = '127.0.0.1';

/** An organisation's keys, which must be those that the genesis names: with others nothing it says would be accepted. */
function readSigners({ genesis }: CoreApiConfig, { id, keyFile }: OrganisationConfig): Signers {
  const member = genesis.organisations.find((organisation) => organisation.id === id);
  if (!member) throw new Fault('configuration-invalid', `The genesis has no organisation ${id}.`);
  const { ed25519: call, secp256k1: certificate } = readKeyFile(keyFile);
  if (call?.key !== member.callKey || certificate?.key !== member.certificateKey) {
    throw new Fault(
      'configuration-invalid',
      `The key file ${keyFile} does not hold the two keys of ${id} that the genesis names.`,
    );
  }
  return { call, certificate };
}

/** One organisation's coordinator and API, which is not listening yet. Everything opened is closed with the stack, in reverse order. */
async function openOrganisation(
  opened: AsyncDisposableStack,
  shared: Shared,
  organisation: OrganisationConfig & { readonly signers: Signers },
): Promise<FastifyInstance> {
  const { network, ledger, verify, peers, directory, limits, measurements, options } = shared;
  const { id, signers } = organisation;
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
  const caller = { organisation: id, network, ledger, signer: signers.call, requests: createRequests(id, ledger) };
  const services = {
    organisation: id,
    ledger,
    archive: ledger.archive,
    directory,
    lodging: createLodging(caller),
    calls: createOperatorCalls(caller),
    coordinator,
    readiness: createReadiness(
      { organisation: id, ledger, directory, systems: organisation.systems, addresses: shared.addresses },
      options.now,
    ),
    measurements,
    systems: [...verifiers.values()],
  };
  const server = createServer({ services, log, limits, onBroken: options.onBroken });
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
  const stranger = validators.find(({ key }) => !registered.keys.includes(key));
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

async function listen(server: FastifyInstance, organisation: string, port: number): Promise<string> {
  try {
    return await server.listen({ host: HOST, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be listened on (${code})`;
    throw new Fault('configuration-invalid', `The port ${port} of ${organisation} ${why}.`, { cause });
  }
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
