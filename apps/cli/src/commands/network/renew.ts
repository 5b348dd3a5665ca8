import { existsSync } from 'node:fs';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { type CryptoKind, takeOrdererCertificate } from '../../network/crypto-material.ts';
import type { FabricOrganisation } from '../../network/network-definition.ts';
import { type NetworkLayout, networkLayout } from '../../network/network-layout.ts';
import { renewHere } from '../../network/one-organisation.ts';
import { renewCertificates } from '../../network/renew-certificates.ts';
import { plain } from '../../terminal.ts';
import { changerOf, chosenOrganisations, keptNetwork, namedOrganisation } from './network-action.ts';

const KINDS: readonly CryptoKind[] = ['signing', 'tls'];

/**
 * Gives organisations new certificates. On a machine with all of them one after the other, nodes started anew included; on the host of one of them its
 * files, and it is said what to do with them.
 */
export async function renew(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options } = invocation;
  const network = keptNetwork(data);
  const kinds = KINDS.filter((kind) => options['only'] === undefined || kind === options['only']);
  if (kinds.length === 0) return fail('request-invalid', `--only takes ${KINDS.join(' or ')}.`);
  const layout = networkLayout(data);
  if (!network.organisations.every((each) => existsSync(layout.organisation(each).folder))) {
    const organisation = namedOrganisation(network, positionals[1]);
    if (options['take'] === true) return taken(organisation, layout);
    const { isOffered } = await renewHere(network, layout, organisation, kinds);
    return { ok: true, value: { document: { isOffered, kinds }, lines: nextSteps(organisation, layout, isOffered) } };
  }
  const organisations = chosenOrganisations(network, positionals[1]);
  const changer = await changerOf(invocation, data);
  for (const each of organisations) await renewCertificates(changer, network, each, kinds);
  const renewed = organisations.map(({ id }) => id);
  return {
    ok: true,
    value: { document: { renewed, kinds }, lines: [plain(`New certificates: ${renewed.join(', ')}.`)] },
  };
}

function taken(organisation: FabricOrganisation, layout: NetworkLayout): Outcome<Shown> {
  takeOrdererCertificate(layout.organisation(organisation));
  const lines = ['Start the orderer: systemctl start linkspan-orderer'];
  return { ok: true, value: { document: { taken: organisation.id }, lines } };
}

function nextSteps({ id }: FabricOrganisation, layout: NetworkLayout, isOffered: boolean): string[] {
  const restart = 'systemctl restart linkspan-peer; the CoreAPI and the validators see their new files by themselves.';
  if (!isOffered) return ['Start the nodes anew, one after the other: systemctl restart linkspan-orderer,', restart];
  return [
    `Start the peer anew: ${restart}`,
    'The orderer’s new certificate counts once it stands in the channel. While enough other orderers run:',
    '  systemctl stop linkspan-orderer',
    `  give ${layout.shared}/${id} to whoever proposes, and have propose-update, sign-update and submit-update done`,
    `  linkspan network renew ${id} --take`,
    '  systemctl start linkspan-orderer',
  ].map(plain);
}
