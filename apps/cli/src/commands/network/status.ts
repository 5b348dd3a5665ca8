import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { contractVersions, type ContractVersions } from '../../network/contract-versions.ts';
import { canBeAsked, networkStatus } from '../../network/network-status.ts';
import { table } from '../../table.ts';
import { plain } from '../../terminal.ts';
import { changerOf, keptNetwork } from './network-action.ts';

/** How each organisation's nodes stand. Ends with 1 where something does not run. */
export async function status(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { terminal } = invocation;
  const network = keptNetwork(data);
  const changer = await changerOf(invocation, data);
  const asked = network.organisations.filter((each) => canBeAsked(each, changer.layout));
  const [found, contract] = await Promise.all([
    networkStatus(network, data),
    contractVersions(changer, { ...network, organisations: asked }),
  ]);
  const shown = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const columns = [
    { title: 'organisation' },
    { title: 'peer height', align: 'right' },
    { title: 'lag', align: 'right' },
    { title: 'orderer height', align: 'right' },
    { title: 'leads' },
    { title: 'contract' },
    { title: 'certificates until' },
    { title: 'not running' },
  ] as const;
  const rows = found.map(({ organisation, peerHeight, lag, ordererHeight, isLeader, certificatesUntil, missing }) => [
    organisation,
    shown(peerHeight),
    shown(lag),
    shown(ordererHeight),
    isLeader ? 'yes' : '',
    versionShown(contract, organisation),
    certificatesUntil?.slice(0, 10) ?? '-',
    { text: missing.join(', '), colour: 'red' as const },
  ]);
  const withVersions = found.map((each) => ({ ...each, contract: contract.running.get(each.organisation) ?? null }));
  const isWhole = found.every(({ missing, peerHeight, ordererHeight }) => {
    return missing.length === 0 && peerHeight !== undefined && ordererHeight !== undefined;
  });
  const agreed = contract.agreed
    ? `The channel has agreed on definition ${contract.agreed.sequence} of the contract: version ${contract.agreed.version}.`
    : 'No peer tells which definition of the contract the channel has agreed on.';
  const lines = [...table(terminal, columns, rows), '', plain(agreed)];
  return {
    ok: true,
    value: {
      document: { agreed: contract.agreed ?? null, organisations: withVersions },
      lines,
      ...(isWhole ? {} : { exit: 1 }),
    },
  };
}

/** In red where an organisation runs other code than all have agreed on. */
function versionShown({ agreed, running }: ContractVersions, organisation: string) {
  const version = running.get(organisation) ?? '-';
  return version === agreed?.version ? version : { text: version, colour: 'red' as const };
}
