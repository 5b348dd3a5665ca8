import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '@linkspan/protocol';
import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { plain } from '../../terminal.ts';
import { chosenOrganisations, keptNetwork } from './network-action.ts';

const LINES = 20;
const MORE_LINES = 200;
const ENDING = '.log';

/** The last lines of each process's log; more of them where one process is named. */
export async function logs({ positionals: [, name, only] }: Invocation, data: string): Promise<Outcome<Shown>> {
  const layout = networkLayout(data);
  const found = chosenOrganisations(keptNetwork(data), name).flatMap((organisation) => {
    const folder = layout.organisation(organisation).logs;
    const processes = (existsSync(folder) ? readdirSync(folder) : [])
      .flatMap((file) => (file.endsWith(ENDING) ? [file.slice(0, -ENDING.length)] : []))
      .toSorted();
    if (only !== undefined && !processes.includes(only))
      throw new Fault('not-found', `${organisation.id} has no log of ${only}; there are ${processes.join(', ')}.`);
    return processes
      .filter((process) => only === undefined || process === only)
      .map((process) => {
        const file = join(folder, `${process}${ENDING}`);
        return { organisation: organisation.id, process, file, lines: lastLines(file, only ? MORE_LINES : LINES) };
      });
  });
  const lines = found.flatMap((each) => [
    `${each.organisation} ${each.process} (${each.file})`,
    ...each.lines.map((line) => `  ${line}`),
  ]);
  return { ok: true, value: { document: { logs: found }, lines: lines.map(plain) } };
}

function lastLines(file: string, count: number): readonly string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
}
