import type { CallWriter } from '@linkspan/coordinator';
import type { Ledger } from '@linkspan/ledger';
import {
  accept,
  type CallBody,
  dvpInstructionSchema,
  flatten,
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
} from '@linkspan/protocol';
import type { KeyedRequest, Requests, Sender } from './requests.ts';

/** Who lodges, and where. */
export type Lodger = {
  readonly ledger: Ledger;
  readonly writer: CallWriter;
  readonly requests: Requests;
};

export type Lodging = (sender: Sender, instruction: Json) => Promise<Result<Lodged>>;

/**
 * Lodges an organisation's copy of an instruction, once per client and Idempotency-Key. The key is recorded on the ledger with the call,
 * and the call follows from client, key and body alone: whoever asks again, after any crash, submits the same call and is given its first answer.
 *
 * Refusals: those of {@link Requests}, `instruction-invalid` with every problem, and what the contract refuses. Faults: `ledger-unavailable`,
 * `storage-unavailable`.
 */
export function createLodging(lodger: Lodger): Lodging {
  return async (sender, instruction) => {
    if (!isCanonicalisable(instruction)) return refuseUncanonical(lodger, instruction);
    return lodger.requests.once(sender, instruction, (request, isRecorded) =>
      lodge(lodger, { request, actor: sender.actor }, isRecorded, instruction),
    );
  };
}

type Asked = { readonly request: KeyedRequest; readonly actor: string };

async function lodge(lodger: Lodger, asked: Asked, isRecorded: boolean, instruction: Json): Promise<Result<Lodged>> {
  const { ledger } = lodger;
  // What was accepted once is not checked again: by now its deadline may have passed and its trade id be used by itself.
  if (!isRecorded) {
    const checked = await checkInstruction(ledger, instruction);
    if (!checked.ok) return checked;
  }
  const body = lodgeBody(instruction);
  if (!body.ok) return body;
  const { request, actor } = asked;
  const result = await lodger.writer.write(actor, nonceOf(request), body.value, request);
  return result.ok ? accept(standingOf(result.value)) : result;
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

function lodgeBody(instruction: Json): Result<CallBody> {
  const parsed = parse(dvpInstructionSchema, instruction, 'instruction-invalid');
  if (!parsed.ok) return parsed;
  const { tradeId, scenario } = parsed.value;
  return accept({ type: 'lodge', tradeId, scenario, fields: flatten(parsed.value) });
}

/** The nonce of a call that answers a request, however long the names in it are. */
export function nonceOf({ client, key }: KeyedRequest): string {
  return `request:${hashOf({ client, key })}`;
}

/** Where a settlement stands, from what the contract answers to a call on it. */
export function standingOf(value: JsonObject): Lodged {
  const { proposal, settlement, tradeId, phase } = value;
  const body = parse(lodgedSchema, { id: settlement ?? proposal, proposal, settlement, tradeId, phase }, 'internal');
  invariant(body.ok, 'the contract answers a call on a settlement with where it stands');
  return body.value;
}

/** Nothing can be hashed that holds a fraction or a lone surrogate; where the checks find what is wrong with it they say it better. */
async function refuseUncanonical({ ledger }: Lodger, instruction: Json): Promise<Result<never>> {
  const checked = await checkInstruction(ledger, instruction);
  return checked.ok ? refuse('request-invalid', 'A text of the body is not well-formed Unicode.') : checked;
}
