import { Fault } from '@linkspan/protocol';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { addOrganisation, type NewcomerEntry } from '../../network/add-organisation.ts';
import {
  checkNewcomer,
  hasLedgerHere,
  isMemberOfLedger,
  joinLedger,
  leaveLedger,
} from '../../network/ledger-membership.ts';
import {
  type FabricNetwork,
  INSIDE,
  isLocal,
  PORTS_OF_ORGANISATION,
  withNewcomer,
} from '../../network/network-definition.ts';
import { prepareProduct } from '../../network/product-processes.ts';
import { checkRemoval, removeOrganisation } from '../../network/remove-organisation.ts';
import { plain } from '../../terminal.ts';
import { changerOf, keptNetwork } from './network-action.ts';
import { numberOption } from './number-option.ts';

/**
 * Adds an organisation with nodes on this machine, at the next free ports unless others are named, and makes it a member of the ledger where the network has
 * one.
 */
export async function addMember(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const [, id] = invocation.positionals;
  if (id === undefined) return fail('request-invalid', 'Name the organisation that joins.');
  const network = keptNetwork(data);
  const entry = newcomerEntry(invocation, network, id);
  withNewcomer(network, entry);
  const changer = await changerOf(invocation, data);
  const { layout } = changer;
  const isLedgerHere = hasLedgerHere(network, layout);
  if (isLedgerHere) await checkNewcomer(network, layout, id);
  const joined = await addOrganisation(changer, network, entry);
  if (isLedgerHere) await joinLedger(changer, joined, id);
  const { organisations, endorsements } = joined;
  return {
    ok: true,
    value: {
      document: { network: joined },
      lines: [
        plain(`${id} is one of ${organisations.length} organisations; ${endorsements} must endorse from now on.`),
        isLedgerHere
          ? 'It is a member of the ledger and has a CoreAPI; it registers its own systems and parties.'
          : 'It has nodes and is no member of the ledger yet: the others approve that in a linkspan change admit.',
      ],
    },
  };
}

/** Where the newcomer is to be. Throws a Fault where that is not this machine. */
function newcomerEntry(invocation: Invocation, { organisations }: FabricNetwork, id: string): NewcomerEntry {
  const elsewhere = organisations.find((each) => !isLocal(each));
  if (elsewhere)
    throw new Fault(
      'request-invalid',
      `add-organisation starts nodes on this machine, and ${elsewhere.id} is on ${elsewhere.host}: on hosts of their own the same is done by propose-update, sign-update, submit-update and join.`,
    );
  const taken = Math.max(...organisations.map(({ ports }) => ports.peer));
  const most = 65_536 - PORTS_OF_ORGANISATION;
  const why = `, the first of its ${PORTS_OF_ORGANISATION}`;
  const port = numberOption(invocation, 'port-base', { least: 1024, most, why }) ?? taken + PORTS_OF_ORGANISATION;
  return { id, host: organisations[0]?.host ?? INSIDE, port };
}

/** Removes an organisation, from the ledger first where that is asked for, and ends its processes here. */
export async function removeMember(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options } = invocation;
  const [, id] = positionals;
  if (id === undefined) return fail('request-invalid', 'Name the organisation that leaves.');
  const network = keptNetwork(data);
  const changer = await changerOf(invocation, data);
  const { layout } = changer;
  const isLedgerHere = hasLedgerHere(network, layout);
  const isForced = options['force'] === true;
  await checkRemoval(network, id);
  if (isLedgerHere && !isForced && (await isMemberOfLedger(network, layout, id))) {
    if (options['from-ledger'] !== true) return fail('not-ready', stillMember(id));
    await leaveLedger(changer, network, id);
  }
  const left = await removeOrganisation(changer, network, id);
  if (isLedgerHere) prepareProduct(left, layout);
  const { organisations, endorsements } = left;
  const isOpen = isForced || !isLedgerHere;
  return {
    ok: true,
    value: {
      document: { network: left },
      lines: [
        plain(`${id} has left; ${organisations.length} organisations remain, and ${endorsements} must endorse.`),
        ...(isOpen ? ['Where it is a member of the ledger still, a linkspan change remove has to follow.'] : []),
      ],
    },
  };
}

function stillMember(id: string): string {
  return [
    `The ledger has ${id} as a member, and its signatures count there.`,
    `linkspan network remove-organisation ${id} --from-ledger removes it there first, in the name of the others;`,
    '--force takes its nodes away all the same.',
  ].join(' ');
}
