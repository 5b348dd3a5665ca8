import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { formatInstant } from '@linkspan/protocol';

/** Time enough for a person to lodge it with both sides. */
const DEADLINE_IN_MS = 15 * 60_000;
const TEMPLATE = new URL('../../../deploy/samples/01-settled/instruction.json', import.meta.url);

/**
 * A trade of the parties and accounts of the local network, under a trade id and a UETR that nobody used, as JSON text. All its instants are a
 * quarter of an hour after `now` (UTC milliseconds). Throws where the sample that it is made of is not installed.
 */
export function exampleInstruction(now: number): string {
  const uetr = randomUUID();
  const deadline = formatInstant(now + DEADLINE_IN_MS);
  return readFileSync(TEMPLATE, 'utf8')
    .replaceAll('{{run}}-settled', `example-${uetr.slice(0, 8)}`)
    .replaceAll('{{uuid}}', uetr)
    .replaceAll(/\{\{instant [^}]*\}\}/g, deadline)
    .replaceAll(/\{\{date [^}]*\}\}/g, deadline.slice(0, 10));
}
