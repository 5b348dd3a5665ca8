import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { describeUpdate, proposeUpdate, signUpdate, submitUpdate } from '../../network/channel-update.ts';
import { signerOf } from '../../network/config-update.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { plain } from '../../terminal.ts';
import { changerOf, keptNetwork, namedOrganisation } from './network-action.ts';

// An update of the channel in steps, for organisations that each have a host and an administrator's key of their own: one proposes, a majority signs,
// one submits. Only two kinds of files go from host to host: the update, and a signature of each.

const SIGNATURE = '.signature';

/** Writes the update that makes the channel what the network file and the shared folder say. */
export async function proposeAction(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options, folder } = invocation;
  if (typeof options['out'] !== 'string') return fail('request-invalid', 'Name a file with --out.');
  const network = keptNetwork(data);
  const by = namedOrganisation(network, positionals[1]);
  const proposed = await proposeUpdate(await changerOf(invocation, data), network, by);
  if (!proposed) return { ok: true, value: { document: { changes: [] }, lines: ['The channel is so already.'] } };
  const file = resolve(folder, options['out']);
  writeFileSync(file, proposed.update);
  const lines = [...proposed.changes, `Written to ${file}.`].map(plain);
  return { ok: true, value: { document: { file, changes: proposed.changes }, lines } };
}

/** Shows what an update changes and signs it with the organisation's own administrator's key. */
export async function signAction(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const update = readUpdate(invocation);
  if (!update.ok) return update;
  const { file, content } = update.value;
  const network = keptNetwork(data);
  const organisation = namedOrganisation(network, invocation.positionals[1]);
  const changes = await describeUpdate(await changerOf(invocation, data), network, organisation, content);
  const signature = await signUpdate(organisation, networkLayout(data).organisation(organisation), content);
  const signed = `${file}.${organisation.id}${SIGNATURE}`;
  writeFileSync(signed, signature);
  return { ok: true, value: { document: { changes, signed }, lines: [...changes, `Signed: ${signed}`].map(plain) } };
}

/** Submits an update with all signatures that lie beside it. */
export async function submitAction(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const update = readUpdate(invocation);
  if (!update.ok) return update;
  const { file, content } = update.value;
  const network = keptNetwork(data);
  const by = namedOrganisation(network, invocation.positionals[1]);
  const signatures = readdirSync(dirname(file))
    .filter((name) => name.startsWith(`${basename(file)}.`) && name.endsWith(SIGNATURE))
    .map((name) => readFileSync(join(dirname(file), name)));
  const signers = signatures.map(signerOf);
  await submitUpdate(await changerOf(invocation, data), network, by, content, signatures);
  const line = `The channel has changed, as ${signers.join(', ')} signed.`;
  return { ok: true, value: { document: { signers }, lines: [plain(line)] } };
}

function readUpdate({ options, folder }: Invocation): Outcome<{ readonly file: string; readonly content: Uint8Array }> {
  if (typeof options['file'] !== 'string') return fail('request-invalid', 'Name the update with --file.');
  const file = resolve(folder, options['file']);
  if (!existsSync(file)) return fail('not-found', `There is no ${file}.`);
  return { ok: true, value: { file, content: readFileSync(file) } };
}
