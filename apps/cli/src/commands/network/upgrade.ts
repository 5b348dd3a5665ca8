import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { upgradeContract } from '../../network/upgrade-contract.ts';
import { plain } from '../../terminal.ts';
import { changerOf, keptNetwork, namedOrganisation } from './network-action.ts';

/** Brings the contract of this installation onto the network, for all organisations or, on its own host, for one. */
export async function upgrade(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options } = invocation;
  const network = keptNetwork(data);
  const only = positionals[1] === undefined ? {} : { only: namedOrganisation(network, positionals[1]) };
  const changer = await changerOf(invocation, data);
  const report = await upgradeContract(changer, network, { ...only, again: options['again'] === true });
  const { before, definition, inForce, behind } = report;
  const isNew = definition.sequence !== before.sequence;
  const lines = [
    !isNew
      ? `Definition ${definition.sequence} has this version of the contract already: ${definition.version}.`
      : inForce
        ? `Definition ${definition.sequence} is in force: version ${definition.version} of the contract, after ${before.version}.`
        : `Agreed to definition ${definition.sequence}; it comes into force when enough others have. Run this again then.`,
    ...[...behind].map(([id, why]) => `${id} has to follow with its next network up: ${why}`),
  ];
  const document = { before, definition, inForce, behind: Object.fromEntries(behind) };
  return { ok: true, value: { document, lines: lines.map(plain), ...(behind.size > 0 ? { exit: 1 } : {}) } };
}
