import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../product/write-whole.ts';
import { issueTls } from './crypto-material.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE, isLocal } from './network-definition.ts';
import type { NetworkLayout, OrganisationLayout } from './network-layout.ts';

/** The name of an organisation's CoreAPI among its processes. */
export const CORE_API = 'core-api';

/** The name by which others know a process or an organisation in its certificate. */
export function certificateName(kind: 'organisation' | 'process', name: string): string {
  return `urn:linkspan:${kind}:${name}`;
}

/** Where the certificate of one of an organisation's processes lies, and its key. */
export function productTls({ crypto }: OrganisationLayout, name: string) {
  return { certFile: join(crypto, 'tls', `${name}.pem`), keyFile: join(crypto, 'tls', `${name}.key`) };
}

/** Every organisation's authority of connections, in one file: what a CoreAPI believes of the others. */
export function tlsAuthorities({ shared }: NetworkLayout): string {
  return join(shared, 'tls-authorities.pem');
}

export function writeTlsAuthorities({ organisations }: FabricNetwork, layout: NetworkLayout): void {
  const texts = organisations.map((each) => readFileSync(layout.organisation(each).publicTlsCa, 'utf8'));
  writeWhole(tlsAuthorities(layout), texts.join(''), 0o644);
}

/**
 * Issues what is missing of the certificates of an organisation's CoreAPI, validators and systems, by its own authority; all of them anew where that
 * is asked for. None on a machine that all share.
 */
export async function makeProductTls(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  member: string,
  parts: readonly string[],
  isRenewal: boolean,
): Promise<void> {
  if (isLocal(organisation)) return;
  const names = [
    { name: CORE_API, uri: certificateName('organisation', member), host: organisation.host },
    ...parts.map((name) => ({ name, uri: certificateName('process', name), host: INSIDE })),
  ];
  for (const { name, uri, host } of names) {
    const { certFile, keyFile } = productTls(layout, name);
    await issueTls(organisation, layout, { certificate: certFile, key: keyFile }, { name, uri, host }, isRenewal);
  }
}
