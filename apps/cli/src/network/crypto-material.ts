import { X509Certificate } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isIP } from 'node:net';
import { Fault } from '@linkspan/protocol';
import type { CertificateAuthority, Issuance } from '../certificates/certificate-authority.ts';
import { writeWhole } from '../product/write-whole.ts';
import type { FabricOrganisation } from './network-definition.ts';
import type { CertificateFiles, MspFiles, OrganisationLayout } from './network-layout.ts';
import { writeJson } from './write-json.ts';

/** How long certificates last. What the channel pins of an authority is renewed by a channel update, so it lasts long. */
const DAYS = 365;
const PUBLIC = 0o644;

/** Certificates that can be renewed: those that sign, and those of connections. */
export type CryptoKind = 'signing' | 'tls';

/**
 * Makes what is missing of an organisation's certificates and keys in its own folder: an authority for those who sign and one for connections, the
 * peer's and orderer's certificates, an administrator's and a client's. Then puts what others must know of it into the shared folder.
 *
 * An organisation that has an authority of its own puts the certificates in place beforehand; then no key of an authority is needed here. Throws a
 * Fault `configuration-invalid` that names the first file that is missing and cannot be made.
 */
export async function makeCrypto(organisation: FabricOrganisation, layout: OrganisationLayout): Promise<void> {
  const missing = certificatesOf(organisation, layout).filter(({ files }) => !isThere(files));
  await issueAll(organisation, layout, missing);
  publish(layout);
}

/**
 * Gives an organisation new certificates from the authorities that it has, with new keys. Its orderer is special, since the channel pins both of its
 * certificates. The one for connections keeps its key, which is what other orderers compare. The one that signs is not among
 * these: see {@link offerOrdererCertificate}.
 */
export async function renewCrypto(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  kinds: readonly CryptoKind[],
): Promise<void> {
  const due = certificatesOf(organisation, layout).filter(
    ({ kind, files }) => kinds.includes(kind) && files !== layout.orderer,
  );
  await issueAll(organisation, layout, due);
  publish(layout);
}

/** Issues a certificate of connections to one of an organisation's other processes, unless it has one and no renewal is asked for. */
export async function issueTls(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  files: CertificateFiles,
  { name, uri, host }: { readonly name: string; readonly uri: string; readonly host: string },
  isRenewal: boolean,
): Promise<void> {
  if (isThere(files) && !isRenewal) return;
  const names = { ...addressesOf(name, host), uri: [uri] };
  await issueAll(organisation, layout, [{ kind: 'tls', files, issuance: { names, days: DAYS } }]);
}

/**
 * Issues a new certificate with which the orderer is going to sign, beside the one in use, and publishes it. With BFT others know an orderer by every
 * byte of it, so the channel has to take it over before the orderer does. One that was offered before and not taken is offered again.
 */
export async function offerOrdererCertificate(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
): Promise<void> {
  const next = nextOrdererCertificate(layout);
  const [own] = certificatesOf(organisation, layout).filter(({ files }) => files === layout.orderer);
  if (own && !isThere(next)) await issueAll(organisation, layout, [{ ...own, files: next }]);
  copy(next.certificate, layout.publicOrdererCertificate);
}

/** Puts the offered certificate and its key in the place of the orderer's own. */
export function takeOrdererCertificate(layout: OrganisationLayout): void {
  const next = nextOrdererCertificate(layout);
  renameSync(next.key, layout.orderer.key);
  renameSync(next.certificate, layout.orderer.certificate);
}

function nextOrdererCertificate({ crypto }: OrganisationLayout): CertificateFiles {
  return { certificate: join(crypto, 'orderer', 'next.pem'), key: join(crypto, 'orderer', 'next.key') };
}

/** When the first of an organisation's certificates ends, as an ISO 8601 instant; undefined where one cannot be read. */
export function certificatesUntil(organisation: FabricOrganisation, layout: OrganisationLayout): string | undefined {
  try {
    const ends = certificatesOf(organisation, layout).map(({ files }) => {
      return new X509Certificate(readFileSync(files.certificate)).validToDate.getTime();
    });
    return new Date(Math.min(...ends)).toISOString();
  } catch {
    return undefined;
  }
}

/** A certificate that an organisation needs: of whom, from which authority, and where it lies. */
type Certificate = {
  readonly kind: CryptoKind;
  readonly files: CertificateFiles;
  readonly issuance: Issuance;
  /** Others compare the key, so a renewed certificate keeps it. */
  readonly keepsKey?: true;
};

/** The organisational units are those by which a member service with node units tells roles apart. */
function certificatesOf({ id, host }: FabricOrganisation, layout: OrganisationLayout): Certificate[] {
  const { peer, orderer, admin, client } = layout;
  const signing = (unit: string, files: CertificateFiles): Certificate => ({
    kind: 'signing',
    files,
    issuance: { names: {}, subject: { name: `${unit}.${id}`, unit }, roles: [], days: DAYS },
  });
  const tls = (unit: string, { tlsCertificate, tlsKey }: OrganisationLayout['peer']): Certificate => ({
    kind: 'tls',
    files: { certificate: tlsCertificate, key: tlsKey },
    issuance: { names: addressesOf(`${unit}.${id}`, host), subject: { name: `${unit}.${id}`, unit }, days: DAYS },
  });
  return [
    signing('peer', peer),
    signing('orderer', orderer),
    signing('admin', admin),
    signing('client', client),
    tls('peer', peer),
    { ...tls('orderer', orderer), keepsKey: true },
  ];
}

function addressesOf(name: string, host: string): Issuance['names'] {
  const isAddress = isIP(host) !== 0;
  return {
    dns: [...new Set([name, 'localhost', ...(isAddress ? [] : [host])])],
    ip: [...new Set(['127.0.0.1', ...(isAddress ? [host] : [])])],
  };
}

async function issueAll(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  certificates: readonly Certificate[],
): Promise<void> {
  const authorities = new Map<CryptoKind, CertificateAuthority>();
  for (const { kind, files, issuance, keepsKey } of certificates) {
    const authority = authorities.get(kind) ?? (await openAuthority(kind, organisation, layout, files));
    authorities.set(kind, authority);
    const key = keepsKey && existsSync(files.key) ? { key: readFileSync(files.key, 'utf8') } : {};
    const issued = await authority.issue({ ...issuance, ...key });
    writeWhole(files.key, issued.key);
    writeWhole(files.certificate, issued.cert, PUBLIC);
  }
}

/** An organisation's authority, made where nothing is there of it. */
async function openAuthority(
  kind: CryptoKind,
  { id }: FabricOrganisation,
  layout: OrganisationLayout,
  { certificate: wanted }: CertificateFiles,
): Promise<CertificateAuthority> {
  const files = kind === 'tls' ? layout.tlsCa : layout.ca;
  // Loading the library takes longer than most commands do, and only these need it.
  const { createAuthority, restoreAuthority } = await import('../certificates/certificate-authority.ts');
  if (isThere(files))
    return restoreAuthority({ cert: readFileSync(files.certificate, 'utf8'), key: readFileSync(files.key, 'utf8') });
  if (existsSync(files.certificate))
    throw new Fault(
      'configuration-invalid',
      `${wanted} is missing or due, and cannot be issued here without ${files.key}: put one of the authority in its place.`,
    );
  const authority = await createAuthority(`${kind === 'tls' ? 'tls-ca' : 'ca'}.${id}`);
  writeWhole(files.key, authority.key);
  writeWhole(files.certificate, authority.cert, PUBLIC);
  return authority;
}

/** Completes the folders that Fabric reads, and shows the others what they must know. */
function publish(layout: OrganisationLayout): void {
  for (const { msp } of [layout.peer, layout.orderer, layout.admin] satisfies MspFiles[]) writeMsp(msp, layout);
  for (const { tlsCa } of [layout.peer, layout.orderer]) copy(layout.tlsCa.certificate, tlsCa);
  writeMsp(layout.publicMsp, layout);
  copy(layout.tlsCa.certificate, layout.publicTlsCa);
  copy(layout.orderer.certificate, layout.publicOrdererCertificate);
  copy(layout.orderer.tlsCertificate, layout.publicOrdererTls);
}

/** A member service: its authorities, and the units by which a certificate shows what its owner is. */
function writeMsp(folder: string, { ca, tlsCa }: OrganisationLayout): void {
  const unit = (name: string): object => ({
    Certificate: 'cacerts/ca.pem',
    OrganizationalUnitIdentifier: name,
  });
  copy(ca.certificate, join(folder, 'cacerts', 'ca.pem'));
  copy(tlsCa.certificate, join(folder, 'tlscacerts', 'tls-ca.pem'));
  writeJson(join(folder, 'config.yaml'), {
    NodeOUs: {
      Enable: true,
      ClientOUIdentifier: unit('client'),
      PeerOUIdentifier: unit('peer'),
      AdminOUIdentifier: unit('admin'),
      OrdererOUIdentifier: unit('orderer'),
    },
  });
}

function isThere({ certificate, key }: CertificateFiles): boolean {
  return existsSync(certificate) && existsSync(key);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
