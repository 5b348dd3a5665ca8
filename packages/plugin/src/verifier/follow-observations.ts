import { Fault, type Hash, type Verify, verifyBatchSignature } from '@linkspan/protocol';
import type { ObservationFilter } from '../connector.ts';
import { backOffMs, pause } from '../pause.ts';
import { parseSignedObservation, PATHS, type SignedObservation } from '../wire.ts';
import type { ValidatorClient } from './validator-client.ts';

export type FollowOptions = {
  readonly network: Hash;
  readonly system: string;
  readonly verify: Verify;
  readonly clients: readonly ValidatorClient[];
  readonly cursor: string;
  readonly filter: ObservationFilter;
  readonly signal: AbortSignal;
};

/** Follows one validator's stream of events; when it ends or falls silent, the next one goes on from the same cursor. Cursors are the system's own. */
export async function* followObservations(options: FollowOptions): AsyncGenerator<SignedObservation> {
  const { clients, signal } = options;
  let after = options.cursor;
  let failures = 0;
  for (let turn = 0; !signal.aborted && clients.length > 0; turn++) {
    const client = clients[turn % clients.length];
    if (!client) return;
    try {
      for await (const line of client.stream(streamPath(after, options.filter), signal)) {
        if (!line.startsWith('data: ')) continue;
        const signed = verifiedObservation(options, client, line.slice('data: '.length));
        failures = 0;
        after = signed.observation.after;
        yield signed;
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
    await pause(backOffMs(++failures, 50, 1_000), signal);
  }
}

function streamPath(after: string, { settlement, operations }: ObservationFilter): string {
  const query = new URLSearchParams();
  if (after !== '') query.set('after', after);
  if (settlement) query.set('settlement', settlement);
  if (operations) query.set('operations', operations.join(','));
  return `${PATHS.observations}?${query.toString()}`;
}

function verifiedObservation(
  { network, system, verify }: FollowOptions,
  { key }: ValidatorClient,
  text: string,
): SignedObservation {
  const parsed = parseSignedObservation(jsonOrUndefined(text));
  if (!parsed.ok) throw new Fault('validator-unavailable', `${key} sent what is no event: ${parsed.refusal.message}`);
  const { observation, signature } = parsed.value;
  const fits = observation.network === network && observation.system === system && signature.key === key;
  if (fits && verifyBatchSignature(verify, observation, signature)) return parsed.value;
  throw new Fault('validator-unavailable', `${key} sent an event that it did not sign for this system.`);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
