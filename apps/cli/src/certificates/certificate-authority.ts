import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import type { JsonGeneralNames, X509Certificate as Issued } from '@peculiar/x509';
import { offerDecoratorMetadata } from './decorator-metadata.ts';

// The library needs it while it is loaded.
offerDecoratorMetadata();
const x509 = await import('@peculiar/x509');

/** A certificate and its key, as PEM. */
export type Certified = { readonly cert: string; readonly key: string };

/** Subject alternative names: DNS names, addresses and URIs. */
export type Names = {
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
};

export type Issuance = {
  readonly names: Names;
  /** Who it is for, and the organisational unit that shows a role; the first of the names unless given. */
  readonly subject?: { readonly name: string; readonly unit: string };
  /** A key that the certificate is to go on with, as PEM; a new one unless given. */
  readonly key?: string;
  /** Days until it ends. */
  readonly days?: number;
  readonly roles?: readonly ('server' | 'client')[];
};

/** An authority of an organisation, of a local network or of a test, which issues certificates for servers and clients. */
export type CertificateAuthority = Certified & { issue(issuance: Issuance): Promise<Certified> };

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks of machines differ a little. */
const EARLIER_MS = 300_000;
const AUTHORITY_DAYS = 3_650;
const DAYS = 90;

/** Makes a new authority that can issue nothing but certificates for ends. */
export async function createAuthority(name: string, days = AUTHORITY_DAYS): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      ...validity(days),
      signingAlgorithm: CURVE,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return issuer(authority, keys.privateKey, await keyPem(keys.privateKey));
}

/** The authority whose certificate and key were kept. */
export async function restoreAuthority({ cert, key }: Certified): Promise<CertificateAuthority> {
  const { privateKey } = await restoreKeys(key);
  return issuer(new x509.X509Certificate(cert), privateKey, key);
}

/** Whether a certificate has less than a third of its life left, or has another authority or other names. */
export function isDue(cert: string, authority: string, names: Names, nowMs: number): boolean {
  const own = new X509Certificate(cert);
  const [from, to] = [own.validFromDate.getTime(), own.validToDate.getTime()];
  const wanted = [
    ...(names.dns ?? []).map((name) => `DNS:${name}`),
    ...(names.ip ?? []).map((name) => `IP Address:${name}`),
    ...(names.uri ?? []).map((name) => `URI:${name}`),
  ];
  const isOurs = own.verify(new X509Certificate(authority).publicKey);
  return !isOurs || to - nowMs < (to - from) / 3 || (own.subjectAltName ?? '') !== wanted.join(', ');
}

function issuer(authority: Issued, authorityKey: webcrypto.CryptoKey, key: string): CertificateAuthority {
  return {
    cert: `${authority.toString('pem')}\n`,
    key,
    async issue({ names, subject, key: given, days = DAYS, roles = ['server', 'client'] }) {
      const keys = given === undefined ? await generateKeys() : await restoreKeys(given);
      const alternatives = generalNames(names);
      const extensions = [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        ...(roles.length > 0 ? [new x509.ExtendedKeyUsageExtension(roles.map((role) => PURPOSES[role]))] : []),
        ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
        await x509.AuthorityKeyIdentifierExtension.create(authority, false, webcrypto),
      ];
      const certificate = await lowS(() =>
        x509.X509CertificateGenerator.create(
          {
            serialNumber: serialNumber(),
            subject: subject
              ? [{ OU: [subject.unit] }, { CN: [subject.name] }]
              : [{ CN: [(names.dns ?? names.uri ?? names.ip)?.[0] ?? 'nobody'] }],
            issuer: authority.subject,
            ...validity(days),
            signingAlgorithm: CURVE,
            publicKey: keys.publicKey,
            signingKey: authorityKey,
            extensions,
          },
          webcrypto,
        ),
      );
      return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) };
    },
  };
}

const HALF_ORDER = 0x7fffffff_80000000_7fffffff_ffffffff_de737d56_d38bcf42_79dce561_7e3192a8n;

/** Fabric rewrites the signature of a certificate into its low form; one that has it already is the same bytes to everybody. Every second try has. */
async function lowS(make: () => Promise<Issued>): Promise<Issued> {
  for (;;) {
    const certificate = await make();
    const signature = Buffer.from(certificate.signature);
    // A DER sequence of two integers, each with its length before it; neither is long enough for more than one byte of length.
    const lengthOfR = signature[3] ?? 0;
    const s = signature.subarray(6 + lengthOfR);
    if (BigInt(`0x${s.toString('hex')}`) <= HALF_ORDER) return certificate;
  }
}

/** A private key in PKCS#8, and the public one that belongs to it. */
async function restoreKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), CURVE, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, CURVE, true, ['verify']),
  };
}

const PURPOSES = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth } as const;

function generalNames({ dns = [], ip = [], uri = [] }: Names): JsonGeneralNames {
  return [
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...ip.map((value) => ({ type: 'ip' as const, value })),
    ...uri.map((value) => ({ type: 'url' as const, value })),
  ];
}

function validity(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - EARLIER_MS), notAfter: new Date(now + days * DAY_MS) };
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function serialNumber(): string {
  return Buffer.from(
    webcrypto.getRandomValues(new Uint8Array(16)).map((byte, i) => (i === 0 ? byte & 0x7f : byte)),
  ).toString('hex');
}
