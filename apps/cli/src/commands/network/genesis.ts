import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { makeBeginnings } from '../../network/one-organisation.ts';
import { genesisFile } from '../../network/product.ts';
import { plain } from '../../terminal.ts';
import { definitionFileOf, keptNetwork } from './network-action.ts';

/** Makes the first block and the genesis of what all organisations have shown, for one of them to give to the others. */
export async function genesis(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const layout = networkLayout(data);
  const programs = await fabricPrograms(invocation.env, invocation.terminal.error);
  await makeBeginnings(programs, keptNetwork(data), layout, definitionFileOf(invocation));
  const files = [layout.genesisBlock, genesisFile(layout)];
  return { ok: true, value: { document: { files }, lines: [plain(`Give the others ${files.join(' and ')}.`)] } };
}
