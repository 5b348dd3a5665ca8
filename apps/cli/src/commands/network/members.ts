import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { addOrganisation } from '../../network/add-organisation.ts';
import { PORTS_OF_ORGANISATION } from '../../network/network-definition.ts';
import { removeOrganisation } from '../../network/remove-organisation.ts';
import { plain } from '../../terminal.ts';
import { changerOf, keptNetwork } from './network-action.ts';

/** Adds an organisation with nodes on this machine, at the next free ports unless others are named. */
export async function addMember(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options } = invocation;
  const [, id] = positionals;
  if (id === undefined) return fail('request-invalid', 'Name the organisation that joins.');
  const network = keptNetwork(data);
  const last = network.organisations.toSorted((a, b) => a.ports.peer - b.ports.peer).at(-1);
  const next = (last?.ports.peer ?? 0) + PORTS_OF_ORGANISATION;
  const port = options['port-base'] === undefined ? next : Number(options['port-base']);
  const entry = { id, host: last?.host ?? '127.0.0.1', port };
  const joined = await addOrganisation(await changerOf(invocation, data), network, entry);
  const { organisations, endorsements } = joined;
  return {
    ok: true,
    value: {
      document: { network: joined },
      lines: [
        plain(`${id} is one of ${organisations.length} organisations; ${endorsements} must endorse from now on.`),
        'It has nodes and is no member of the consortium yet: the others approve that in a linkspan change admit.',
      ],
    },
  };
}

/** Removes an organisation and ends its processes here. */
export async function removeMember(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const [, id] = invocation.positionals;
  if (id === undefined) return fail('request-invalid', 'Name the organisation that leaves.');
  const left = await removeOrganisation(await changerOf(invocation, data), keptNetwork(data), id);
  const { organisations, endorsements } = left;
  return {
    ok: true,
    value: {
      document: { network: left },
      lines: [
        plain(`${id} has left; ${organisations.length} organisations remain, and ${endorsements} must endorse.`),
        'Where it is a member of the consortium still, a linkspan change remove has to follow.',
      ],
    },
  };
}
