import { cpSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import type { FabricOrganisation } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { writeJson } from './write-json.ts';

/**
 * Makes an organisation's two authorities, its peer's and orderer's certificates, an administrator's and a client's, in its own folder, as each
 * organisation does for itself; then puts what others must know of it into the shared folder.
 */
export async function makeCrypto(
  programs: FabricPrograms,
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
): Promise<void> {
  const { id, host } = organisation;
  const addresses = ['localhost', host];
  const own = { Name: id, Domain: id, EnableNodeOUs: true };
  const config = join(layout.folder, 'cryptogen.yaml');
  writeJson(config, {
    OrdererOrgs: [{ ...own, Specs: [{ Hostname: 'orderer', SANS: addresses }] }],
    PeerOrgs: [{ ...own, Specs: [{ Hostname: 'peer', SANS: addresses }], Users: { Count: 1 } }],
  });
  await runProgram(programs.cryptogen, ['generate', `--config=${config}`, `--output=${layout.crypto}`]);
  publish(id, layout);
}

function publish(id: string, layout: OrganisationLayout): void {
  mkdirSync(join(layout.publicPeerMsp, '..'), { recursive: true });
  cpSync(join(layout.crypto, 'peerOrganizations', id, 'msp'), layout.publicPeerMsp, { recursive: true });
  cpSync(join(layout.crypto, 'ordererOrganizations', id, 'msp'), layout.publicOrdererMsp, { recursive: true });
  copyFileSync(layout.orderer.signCertificate, layout.publicOrdererCertificate);
  copyFileSync(layout.orderer.tlsCertificate, layout.publicOrdererTls);
  copyFileSync(layout.peer.tlsCa, layout.publicPeerTlsCa);
  copyFileSync(layout.orderer.tlsCa, layout.publicOrdererTlsCa);
}
