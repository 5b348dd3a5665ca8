import type { Ledger } from '@linkspan/ledger';
import {
  accept,
  type Call,
  dvpInstructionSchema,
  flatten,
  type Hash,
  hashOf,
  invariant,
  isCanonicalisable,
  type Json,
  type JsonObject,
  type Lodged,
  lodgedSchema,
  parse,
  refuse,
  type Result,
  signCalls,
  type Signer,
  type SigningKey,
} from '@linkspan/protocol';

/** Who lodges, and where. */
export type Lodger = {
  readonly organisation: string;
  readonly network: Hash;
  readonly ledger: Ledger;
  readonly signer: Signer<SigningKey>;
};

/** A person's or program's request to lodge. `client` tells whose Idempotency-Key it is. */
export type LodgeRequest = { readonly client: string; readonly key: string | undefined; readonly instruction: Json };

export type Lodging = (request: LodgeRequest) => Promise<Result<Lodged>>;

/**
 * Lodges an organisation's copy of an instruction, once per client and Idempotency-Key. The key is recorded on the ledger with the call,
 * and the call follows from client, key and body alone: whoever asks again, after any crash, submits the same call and is given its first answer.
 *
 * Refusals: `idempotency-key-missing`, `idempotency-key-reused` (other body), `request-in-progress`, `instruction-invalid` with every problem,
 * and what the contract refuses. Faults: `ledger-unavailable`, `storage-unavailable`.
 */
export function createLodging(lodger: Lodger): Lodging {
  const underWay = new Map<string, Hash>();
  return async ({ client, key, instruction }) => {
    if (key === undefined || key === '')
      return refuse(
        'idempotency-key-missing',
        'Send a header Idempotency-Key: any text that you use for this one request only.',
      );
    if (!/^[\x20-\x7e]{1,100}$/.test(key))
      return refuse('request-invalid', 'An Idempotency-Key is at most 100 printable ASCII characters.');
    if (!isCanonicalisable(instruction)) return refuseUncanonical(lodger, instruction);
    const request = { client, key, body: hashOf(instruction) };
    const name = JSON.stringify([client, key]);
    const other = underWay.get(name);
    if (other === request.body)
      return refuse('request-in-progress', 'The same request is still under way; ask again for its answer.');
    if (other !== undefined) return refuseReused();
    underWay.set(name, request.body);
    try {
      return await lodge(lodger, request, instruction);
    } finally {
      underWay.delete(name);
    }
  };
}

type Request = { readonly client: string; readonly key: string; readonly body: Hash };

async function lodge(lodger: Lodger, request: Request, instruction: Json): Promise<Result<Lodged>> {
  const { ledger, organisation } = lodger;
  const before = await ledger.evaluate('request', { organisation, client: request.client, key: request.key });
  invariant(before.ok, 'a request is never refused');
  if (before.value && before.value.body !== request.body) return refuseReused();
  // What was accepted once is not checked again: by now its deadline may have passed and its trade id be used by itself.
  if (!before.value) {
    const checked = await checkInstruction(ledger, instruction);
    if (!checked.ok) return checked;
  }
  const call = lodgeCall(lodger, request, instruction);
  if (!call.ok) return call;
  const [result] = await ledger.submit(signCalls(lodger.signer, [call.value]));
  invariant(result, 'every call has a result');
  return result.ok ? accept(lodgedBody(result.value)) : result;
}

async function checkInstruction(ledger: Ledger, instruction: Json): Promise<Result<null>> {
  const checked = await ledger.evaluate('check-instruction', { instruction });
  invariant(checked.ok, 'a check is never refused');
  const { length } = checked.value;
  if (length === 0) return accept(null);
  return refuse(
    'instruction-invalid',
    length === 1 ? 'The instruction has one problem.' : `The instruction has ${length} problems.`,
    {
      problems: checked.value,
    },
  );
}

function lodgeCall({ network, organisation }: Lodger, request: Request, instruction: Json): Result<Call> {
  const parsed = parse(dvpInstructionSchema, instruction, 'instruction-invalid');
  if (!parsed.ok) return parsed;
  const { tradeId, scenario } = parsed.value;
  return accept({
    schema: 'call/1',
    network,
    organisation,
    actor: request.client,
    nonce: `request:${request.client}:${request.key}`,
    body: { type: 'lodge', tradeId, scenario, fields: flatten(parsed.value), request },
  });
}

function lodgedBody(value: JsonObject): Lodged {
  const { proposal, settlement, tradeId, phase } = value;
  const body = parse(lodgedSchema, { id: settlement ?? proposal, proposal, settlement, tradeId, phase }, 'internal');
  invariant(body.ok, 'the contract answers a lodge with where the settlement stands');
  return body.value;
}

/** Nothing can be hashed that holds a fraction or a lone surrogate; where the checks find what is wrong with it they say it better. */
async function refuseUncanonical({ ledger }: Lodger, instruction: Json): Promise<Result<never>> {
  const checked = await checkInstruction(ledger, instruction);
  return checked.ok ? refuse('request-invalid', 'A text of the body is not well-formed Unicode.') : checked;
}

function refuseReused(): Result<never> {
  return refuse(
    'idempotency-key-reused',
    'The Idempotency-Key was used with another body; use a new one for another instruction.',
  );
}
