import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { type Joined, joinHere } from '../../network/one-organisation.ts';
import { plain } from '../../terminal.ts';
import { keptNetwork, namedOrganisation } from './network-action.ts';

/** Has the nodes of one organisation, which run on this host, take part in the channel, and agrees to the contract in its name. */
export async function join({ positionals, env, terminal }: Invocation, data: string): Promise<Outcome<Shown>> {
  const network = keptNetwork(data);
  const organisation = namedOrganisation(network, positionals[1]);
  const programs = await fabricPrograms(env, terminal.error);
  const { definition, joined } = await joinHere(programs, network, networkLayout(data), organisation);
  const line = `${organisation.id} ${WORDS[joined]}`;
  return { ok: true, value: { document: { definition, joined }, lines: [plain(line)] } };
}

const WORDS: Readonly<Record<Joined, string>> = {
  'takes part': 'takes part. Too few others do for the contract to be agreed to: join again when they do.',
  agreed:
    'takes part and has agreed to the contract, which comes into force when enough others have; the last one joins again.',
  'in force': 'takes part, and the contract is in force.',
};
