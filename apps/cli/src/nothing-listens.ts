import type { ErrorCode } from '@linkspan/protocol';
import { fail, type Failure } from './failure.ts';

/** Why a request never arrived, where its connection was refused: the same sentence whoever asked. Undefined for any other reason. */
export function nothingListens(address: string, error: unknown, code: ErrorCode): Failure | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) return undefined;
  return fail(
    code,
    'If it is, the address in the profile is not its own: see var/profile.json, or name an API with --api URL.',
    `Nothing listens at ${new URL(address).origin}: is \`npm start\` running?`,
  ).failure;
}
