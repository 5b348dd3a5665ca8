import { rmSync } from 'node:fs';
import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { bringDown } from '../../network/network-down.ts';
import { plain } from '../../terminal.ts';
import { keptNetwork } from './network-action.ts';

/** Ends every process of the network; deletes what they stored where that is asked for. */
export async function down({ options }: Invocation, data: string): Promise<Outcome<Shown>> {
  const ended = await bringDown(keptNetwork(data), data);
  if (options['remove'] === true) rmSync(data, { recursive: true });
  const line = `${ended} processes ended${options['remove'] === true ? `, ${data} deleted` : ''}.`;
  return { ok: true, value: { document: { ended }, lines: [plain(line)] } };
}
