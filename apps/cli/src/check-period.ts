import { parseInstant } from '@linkspan/protocol';
import type { Options } from './command.ts';
import { fail, type Failure } from './failure.ts';

/** What is wrong with `--from` and `--to`, by the names under which they were written; undefined where they are instants or absent. */
export function checkPeriod(options: Options): Failure | undefined {
  for (const name of ['from', 'to'] as const) {
    const written = options[name];
    if (typeof written !== 'string' || parseInstant(written).ok) continue;
    return fail(
      'request-invalid',
      `Write it as ${new Date().toISOString().slice(0, 10)}T00:00:00Z, with its time and zone.`,
      `--${name} is no instant: ${written.slice(0, 40)}`,
    ).failure;
  }
  return undefined;
}
