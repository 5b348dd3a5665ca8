import { GatewayError } from '@hyperledger/fabric-gateway';
import { Fault } from '@linkspan/protocol';

/** What an error of the gateway asks for. */
export type GatewayTrouble =
  | { readonly kind: 'unreachable' | 'late' | 'unsettled' | 'defect'; readonly message: string }
  | { readonly kind: 'chaincode'; readonly code: string; readonly message: string };

const CODES = { deadlineExceeded: 4, failedPrecondition: 9, aborted: 10, unavailable: 14 } as const;

/**
 * Sorts what a question to a gateway of the organisation `mspId` threw.
 * - `unreachable`: this gateway or its peer does not answer, another one might; `late`: nor did it in time.
 * - `unsettled`: the peers do not agree yet, as when one is a block behind, has just started or lies; a new proposal will do.
 *   So it is where the client's key gives no signature, as when the token that has it is away: nothing was asked then.
 * - `chaincode`: the organisation's own chaincode refused, with its code. What another's says decides nothing here.
 *
 * Errors of other kinds than the gateway's are thrown on.
 */
export function troubleOf(error: unknown, mspId: string): GatewayTrouble {
  if (isMissingSignature(error)) return { kind: 'unsettled', message: error.message };
  if (!(error instanceof GatewayError)) throw error;
  const details = error.details.map((detail) => `${detail.mspId}: ${detail.message}`);
  const message = inShort(details.length > 0 ? `${error.message}: ${firstOf(details)}` : error.message);
  const own = error.details.filter((detail) => detail.mspId === mspId).map((detail) => detail.message);
  for (const each of [error.message, ...own]) {
    const said = /chaincode response 500, ([a-z-]+)\|(.*)/s.exec(each);
    if (said?.[1] !== undefined) return { kind: 'chaincode', code: said[1], message: inShort(said[2] ?? '') };
  }
  switch (error.code) {
    case CODES.deadlineExceeded:
      return { kind: 'late', message };
    case CODES.unavailable:
      return { kind: 'unreachable', message };
    case CODES.aborted:
    case CODES.failedPrecondition:
      return { kind: 'unsettled', message };
    default:
      return { kind: 'defect', message };
  }
}

/** The client asks its signer in the midst of a question, and throws what that throws. */
export function isMissingSignature(error: unknown): error is Fault {
  return error instanceof Fault && error.code === 'ledger-unavailable';
}

/** Peers mostly say the same: the first one's words, and of how many more there are some. */
function firstOf([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}

/** Causes within causes go on for kilobytes, and the first one is what a person looks for. The whole stays with the error as its cause. */
function inShort(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}

const LONGEST = 300;
