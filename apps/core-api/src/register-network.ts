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
export type Registrant = { readonly id: string; readonly signer: Signer<SigningKey>; readonly register: readonly CallBody[] };

/**
 * Makes the network known to the ledger: its genesis, then what each organisation registers. Registrations depend on one another across
 * organisations (an account needs its party), so what is refused is tried again as long as others are accepted. A nonce is the hash of its body, so that
 * a restart submits the same calls and changes nothing. Throws a Fault `configuration-invalid` that names what stays refused.
 */
export async function registerNetwork(ledger: Ledger, network: Hash, genesis: Genesis, registrants: readonly Registrant[]): Promise<void> {
  const [first] = registrants;
  if (!first) return;
  const founded = await submitAll(ledger, network, first, [{ type: 'genesis', genesis }]);
  if (founded[0]) throw refused(first.id, founded[0]);
  let waiting = registrants.map((registrant) => ({ registrant, bodies: registrant.register }));
  for (;;) {
    const before = count(waiting);
    const left: { registrant: Registrant; bodies: readonly CallBody[]; last: Rejected | undefined }[] = [];
    for (const { registrant, bodies } of waiting) {
      const rejected = await submitAll(ledger, network, registrant, bodies);
      left.push({ registrant, bodies: rejected.map(({ body }) => body), last: rejected[0] });
    }
    const after = count(left);
    if (after === 0) return;
    if (after === before) throw refused(...firstRejected(left));
    waiting = left;
  }
}

type Rejected = { readonly body: CallBody; readonly refusal: Refusal };

/** Calls in one ledger transaction. */
const BATCH = 200;

/** Submits in order and gives back what was refused. */
async function submitAll(ledger: Ledger, network: Hash, { id, signer }: Registrant, bodies: readonly CallBody[]): Promise<Rejected[]> {
  const rejected: Rejected[] = [];
  for (let from = 0; from < bodies.length; from += BATCH) {
    const batch = bodies.slice(from, from + BATCH);
    const calls = batch.map((body): Call => {
      return { schema: 'call/1', network, organisation: id, actor: 'configuration', nonce: `register:${hashOf(body)}`, body };
    });
    const results = await ledger.submit(signCalls(signer, calls));
    for (const [i, body] of batch.entries()) {
      const result = results[i];
      if (result && !result.ok) rejected.push({ body, refusal: result.refusal });
    }
  }
  return rejected;
}

function count(waiting: readonly { readonly bodies: readonly CallBody[] }[]): number {
  return waiting.reduce((sum, { bodies }) => sum + bodies.length, 0);
}

function firstRejected(left: readonly { readonly registrant: Registrant; readonly last: Rejected | undefined }[]): [string, Rejected] {
  for (const { registrant, last } of left) if (last) return [registrant.id, last];
  throw new Fault('internal', 'Nothing was rejected, although something is left.');
}

function refused(organisation: string, { body, refusal }: Rejected): Fault {
  return new Fault('configuration-invalid', `The ledger refuses a ${body.type} call of ${organisation}: ${refusal.message}`);
}
