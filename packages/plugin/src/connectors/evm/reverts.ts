import { decodeErrorResult, hexToString } from 'viem';
import type { Submission } from '../../connector.ts';
import { isHexText, type RpcError } from './json-rpc.ts';
import { tokenAbi } from './token-abi.ts';

/** Why the token reverted: what the answer to the caller is, or that the id or hold was used before and its state must tell. */
export type Revert = Exclude<Submission, { status: 'sent' }> | { readonly status: 'already' };

/** Reads the custom error of a revert. A revert without one that is known is refused as NARR, with what the node said. */
export function readRevert(error: RpcError): Revert {
  const decoded = decode(error);
  if (!decoded) return { status: 'refused', reason: 'NARR', message: `The token reverted: ${error.message}` };
  const { name, args } = decoded;
  const message = `The token reverted with ${name}(${args.join(', ')}).`;
  if (name === 'AlreadyUsed' || name === 'HoldClosed') return { status: 'already' };
  if (name === 'InsufficientFree') return { status: 'refused', reason: 'MONY', message };
  if (name === 'Fenced') return { status: 'refused', reason: reasonOf(args[1]), message };
  if (CERTIFICATE_ERRORS.has(name)) return { status: 'refused', reason: 'NARR', message, about: 'certificate' };
  return { status: 'refused', reason: 'NARR', message };
}

const CERTIFICATE_ERRORS: ReadonlySet<string> = new Set([
  'WrongNetwork',
  'WrongSettlement',
  'WrongKind',
  'UnknownEpoch',
  'EpochTooOld',
  'BadPath',
  'BadSignature',
  'NotASigner',
  'SignersNotSorted',
  'NotEnoughSignatures',
  'OperationNotNamed',
]);

function decode({ data }: RpcError): { readonly name: string; readonly args: readonly unknown[] } | undefined {
  if (!isHexText(data)) return undefined;
  try {
    const { errorName, args } = decodeErrorResult({ abi: tokenAbi, data });
    return { name: errorName, args: args ?? [] };
  } catch {
    // Not an error of this interface, such as one of the access control's.
    return undefined;
  }
}

function reasonOf(value: unknown): string {
  const text = isHexText(value) ? hexToString(value, { size: 4 }) : '';
  return /^[A-Z0-9]{4}$/.test(text) ? text : 'NARR';
}
