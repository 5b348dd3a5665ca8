import type { Lodged, Result } from '@linkspan/protocol';
import type { Invocation } from './command.ts';
import { type Failure, type Outcome } from './failure.ts';
import { paint, plain, shortId, type Terminal } from './terminal.ts';
import { phaseColour } from './phase-colour.ts';

/** Options of every command that changes something. */
export const ACTING_OPTIONS = { key: { type: 'string' } } as const;

export const ACTING_HELP: readonly string[] = [
  '  --key KEY  the Idempotency-Key: the same request under the same key happens once, however often it is sent',
];

/** Sends a request that changes something, under its key. Where it may be tried again, the failure says with which key. */
export async function act<T>(
  { options, api, newKey }: Invocation,
  path: string,
  body: object | undefined,
  read: (body: unknown) => Result<T>,
): Promise<Outcome<T>> {
  const key = typeof options['key'] === 'string' ? options['key'] : newKey();
  const answer = await api.post(path, body && JSON.stringify(body), { 'idempotency-key': key }, read);
  return answer.ok || answer.failure.exit !== RETRY ? answer : { ok: false, failure: withKey(answer.failure, key) };
}

/** The exit code of what may be tried again. */
const RETRY = 6;

function withKey(failure: Failure, key: string): Failure {
  return { ...failure, detail: `${failure.detail} Send it again as the same request with --key '${key}'.` };
}

/** Where a settlement stands now, in one line. */
export function standing(terminal: Terminal, { tradeId, phase, id }: Lodged): string {
  return `${paint(terminal, 'bold', plain(tradeId))} is ${paint(terminal, phaseColour(phase), phase)} (${shortId(id)}).`;
}
