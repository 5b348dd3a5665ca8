import { existsSync } from 'node:fs';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { readNetworkFile } from '../../network/network-definition.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { prepareHere } from '../../network/one-organisation.ts';
import { writeJson } from '../../network/write-json.ts';
import { plain } from '../../terminal.ts';
import { definitionFileOf, keptNetwork, namedOrganisation } from './network-action.ts';

/** Makes one organisation's certificates, keys and configuration, on its own host. */
export async function prepare(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { options, readInput } = invocation;
  const layout = networkLayout(data);
  if (typeof options['file'] === 'string' && !existsSync(layout.definitionFile)) {
    const text = readInput(options['file']);
    if (!text.ok) return fail('request-invalid', 'Name a network file: linkspan help network.', text.failure.title);
    let file: unknown;
    try {
      file = JSON.parse(text.value);
    } catch {
      file = undefined;
    }
    readNetworkFile(file);
    if (typeof file !== 'object' || file === null) return fail('request-invalid', 'A network file is a JSON object.');
    writeJson(layout.definitionFile, file);
  }
  const network = keptNetwork(data);
  const organisation = namedOrganisation(network, invocation.positionals[1]);
  const missing = await prepareHere(network, layout, organisation, definitionFileOf(invocation));
  const shown = `${layout.shared}/${organisation.id}`;
  const lines =
    missing.length === 0
      ? [`Everything of ${organisation.id} is written. Next: linkspan network units ${organisation.id} --out FOLDER`]
      : [
          `Give ${shown} to the others, and put theirs beside it. Then prepare again.`,
          `${layout.shared} lacks ${missing.join(', ')}.`,
        ];
  return { ok: true, value: { document: { missing, shown }, lines: lines.map(plain) } };
}
