import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkDefinition } from '@linkspan/protocol';
import { Agent, setGlobalDispatcher } from 'undici';
import {
  type Certified,
  type CertificateAuthority,
  createAuthority,
  isDue,
  type Names,
  restoreAuthority,
} from '../../apps/cli/src/certificates/certificate-authority.ts';
import type { Layout } from './layout.ts';
import { writeWhole } from '../../apps/cli/src/product/write-whole.ts';

/** The programs that start and watch the network, as clients of its systems. */
export const TOOLS = 'tools';

/** The name in the certificates of a part of the local network. */
export function certificateName(name: string): string {
  return `urn:linkspan:local:${name}`;
}

/** Where a part's certificate and key lie, and the one authority of the local network. */
export function tlsFilesOf({ data }: Layout, name: string) {
  const folder = join(data, 'tls');
  return {
    certFile: join(folder, `${name}.pem`),
    keyFile: join(folder, `${name}.key`),
    caFile: join(folder, 'authority.pem'),
  };
}

/**
 * Gives every part of the network a certificate of its own authority, each renewed with a third of its life left, also while the network runs; and
 * has this process believe that authority and present a certificate of its own. Disposing ends the renewal.
 */
export async function secureNetwork(definition: NetworkDefinition, layout: Layout): Promise<Disposable> {
  await renew(definition, layout);
  // Where it fails, on a full disk for example, the next turn is early enough: a third of a life is left.
  const timer = setInterval(() => void renew(definition, layout).catch(() => undefined), RENEW_EVERY_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

const RENEW_EVERY_MS = 6 * 3_600_000;
const AUTHORITY = 'authority';

async function renew(definition: NetworkDefinition, layout: Layout): Promise<void> {
  const authority = await openAuthority(layout);
  const parts = [
    ...definition.organisations.map(({ id }) => id),
    ...definition.systems.filter(({ kind }) => kind === 'web-api').map(({ id }) => id),
    ...layout.validators.map(({ name }) => name),
    TOOLS,
  ];
  for (const name of parts) {
    const names: Names = { dns: ['localhost'], ip: ['127.0.0.1'], uri: [certificateName(name)] };
    const known = kept(layout, name);
    if (known && !isDue(known.cert, authority.cert, names, Date.now())) continue;
    keep(layout, name, await authority.issue({ names }));
  }
  const own = kept(layout, TOOLS);
  setGlobalDispatcher(new Agent({ connect: { ca: authority.cert, ...own } }));
}

async function openAuthority(layout: Layout): Promise<CertificateAuthority> {
  const known = kept(layout, AUTHORITY);
  if (known) return restoreAuthority(known);
  const authority = await createAuthority('Linkspan local network');
  keep(layout, AUTHORITY, authority);
  return authority;
}

function kept(layout: Layout, name: string): Certified | undefined {
  const { certFile, keyFile } = tlsFilesOf(layout, name);
  if (!existsSync(certFile) || !existsSync(keyFile)) return undefined;
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

function keep(layout: Layout, name: string, { cert, key }: Certified): void {
  const { certFile, keyFile } = tlsFilesOf(layout, name);
  writeWhole(keyFile, key);
  writeWhole(certFile, cert);
}
