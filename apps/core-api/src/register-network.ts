import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from '@linkspan/ledger';
import {
  type Call,
  type CallBody,
  Fault,
  type Genesis,
  type Hash,
  hashOf,
  type Refusal,
  signCalls,
  type Signer,
  type SigningKey,
} from '@linkspan/protocol';

/** An organisation whose calls this process signs, with what it registers at start. */
export type Registrant = {
  readonly id: string;
  readonly signer: Signer<SigningKey>;
  readonly register: readonly CallBody[];
};

/**
 * Makes the network known to the ledger: its genesis, then what each organisation registers. Registrations depend on one another across
 * organisations (an account needs its party), so what is refused is tried again as long as others are accepted. A nonce is the hash of its body, so that
 * a restart submits the same calls and changes nothing. Where other organisations register in processes of their own, what still lacks something is
 * tried again for `patienceMs`. Throws a Fault `configuration-invalid` that names what stays refused.
 */
export async function registerNetwork(
  ledger: Ledger,
  network: Hash,
  genesis: Genesis,
  registrants: readonly Registrant[],
  patienceMs = 0,
): Promise<void> {
  const until = performance.now() + patienceMs;
  const [founder] = registrants;
  if (!founder) return;
  const [unfounded] = await submitAll(ledger, network, founder, [{ type: 'genesis', genesis }]);
  if (unfounded) throw refused(unfounded);
  let waiting: readonly Waiting[] = registrants.flatMap((registrant) =>
    registrant.register.map((body) => ({ registrant, body })),
  );
  while (waiting.length > 0) {
    const rejected: Rejected[] = [];
    for (const registrant of registrants) {
      const bodies = waiting.flatMap((each) => (each.registrant === registrant ? [each.body] : []));
      rejected.push(...(await submitAll(ledger, network, registrant, bodies)));
    }
    if (rejected[0] && rejected.length === waiting.length) {
      const mayCome = rejected.every(({ refusal }) => refusal.code === 'not-registered');
      if (!mayCome || performance.now() >= until) throw refused(rejected[0]);
      await delay(AGAIN_MS);
    }
    waiting = rejected;
  }
}

type Waiting = { readonly registrant: Registrant; readonly body: CallBody };
type Rejected = Waiting & { readonly refusal: Refusal };

const AGAIN_MS = 500;

/** Calls in one ledger transaction. */
const BATCH = 200;

/** Submits in order and gives back what was refused. */
async function submitAll(
  ledger: Ledger,
  network: Hash,
  registrant: Registrant,
  bodies: readonly CallBody[],
): Promise<Rejected[]> {
  const rejected: Rejected[] = [];
  for (let from = 0; from < bodies.length; from += BATCH) {
    const batch = bodies.slice(from, from + BATCH);
    const results = await ledger.submit(
      signCalls(
        registrant.signer,
        batch.map((body) => registerCall(network, registrant.id, body)),
      ),
    );
    for (const [i, body] of batch.entries()) {
      const result = results[i];
      if (result && !result.ok) rejected.push({ registrant, body, refusal: result.refusal });
    }
  }
  return rejected;
}

function registerCall(network: Hash, organisation: string, body: CallBody): Call {
  return { schema: 'call/1', network, organisation, actor: 'configuration', nonce: `register:${hashOf(body)}`, body };
}

function refused({ registrant, body, refusal }: Rejected): Fault {
  return new Fault(
    'configuration-invalid',
    `The ledger refuses a ${body.type} call of ${registrant.id}: ${refusal.message}`,
  );
}
