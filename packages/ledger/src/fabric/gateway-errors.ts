import { GatewayError } from '@hyperledger/fabric-gateway';

/** What an error of the gateway asks for. `chaincode` is an answer of our own code, with its code and which organisations gave it. */
export type GatewayTrouble =
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'unsettled'; readonly message: string }
  | { readonly kind: 'chaincode'; readonly code: string; readonly message: string }
  | { readonly kind: 'defect'; readonly message: string };

const CODES = { deadlineExceeded: 4, failedPrecondition: 9, aborted: 10, unavailable: 14 } as const;

/**
 * Sorts what evaluating or endorsing threw. `unreachable`: this gateway or its peer does not answer, another one might. `unsettled`: the peers do not
 * agree yet, as when one is a block behind or has just started; a new proposal will do. Errors of other kinds than the gateway's are thrown on.
 */
export function troubleOf(error: unknown): GatewayTrouble {
  if (!(error instanceof GatewayError)) throw error;
  const details = error.details.map(({ mspId, message }) => `${mspId}: ${message}`);
  const message = [error.message, ...details].join('; ');
  for (const each of [error.message, ...error.details.map((detail) => detail.message)]) {
    const said = /chaincode response 500, ([a-z-]+)\|(.*)/s.exec(each);
    if (said?.[1] !== undefined) return { kind: 'chaincode', code: said[1], message: said[2] ?? '' };
  }
  switch (error.code) {
    case CODES.unavailable:
    case CODES.deadlineExceeded:
      return { kind: 'unreachable', message };
    case CODES.aborted:
    case CODES.failedPrecondition:
      return { kind: 'unsettled', message };
    default:
      return { kind: 'defect', message };
  }
}
