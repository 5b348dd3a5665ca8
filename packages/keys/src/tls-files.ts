import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import {
  accept,
  Fault,
  type Problem,
  problem,
  refuse,
  type Result,
  type TlsCredentials,
  type TlsFiles,
} from '@linkspan/protocol';
import { readGuardedFile } from './guarded-file.ts';

/** What a certificate is presented as. One that names its purposes must name this one. */
export type TlsRole = 'server' | 'client';

/** Credentials, and the end of the presented certificate in UTC milliseconds, where one is presented. */
export type TlsReading = { readonly credentials: TlsCredentials; readonly endsAtMs?: number };

/**
 * Reads and checks the files together, so that nobody ever uses half of them: the key is the certificate's, the certificate is valid now and made for
 * its role, every authority is a certificate. Each problem is at `/certFile`, `/keyFile` or `/caFile`.
 */
export function readTlsFiles(files: TlsFiles, role: TlsRole, nowMs: number): Result<TlsReading> {
  const problems: Problem[] = [];
  const wrong = (member: keyof TlsFiles, words: string): undefined =>
    void problems.push(problem(`/${member}`, 'value-not-allowed', words));
  const read = (member: keyof TlsFiles, what: string, guard: 'secret' | 'believed'): string | undefined => {
    const path = files[member];
    if (path === undefined) return undefined;
    try {
      return readGuardedFile(path, what, guard);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return wrong(member, error.message);
    }
  };
  const cert = read('certFile', 'certificate', 'believed');
  const key = read('keyFile', 'private key', 'secret');
  const ca = read('caFile', 'list of authorities', 'believed');
  if (ca !== undefined) checkAuthorities(ca, (words) => wrong('caFile', `${files.caFile ?? ''} ${words}`));
  const own = cert === undefined ? undefined : parseCertificate(cert);
  if (cert !== undefined && !own) wrong('certFile', `${files.certFile ?? ''} is no certificate in PEM.`);
  if (own) checkCertificate(own, role, nowMs, (words) => wrong('certFile', `${files.certFile ?? ''} ${words}`));
  if (own && key !== undefined) checkPair(own, key, files, (words) => wrong('keyFile', words));
  const credentials = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  };
  if (problems.length === 0) checkContext(credentials, (words) => wrong('certFile', words));
  if (problems.length > 0)
    return refuse('configuration-invalid', problems.map(({ message }) => message).join(' '), { problems });
  return accept({ credentials, ...(own ? { endsAtMs: own.validToDate.getTime() } : {}) });
}

type Wrong = (words: string) => void;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PURPOSES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function checkAuthorities(pem: string, wrong: Wrong): void {
  const blocks = pem.match(CERTIFICATE) ?? [];
  const begun = pem.split('-----BEGIN').length - 1;
  if (blocks.length === 0 || begun !== blocks.length || blocks.some((block) => !parseCertificate(block)))
    wrong('is no list of certificates in PEM.');
}

function checkCertificate(own: X509Certificate, role: TlsRole, nowMs: number, wrong: Wrong): void {
  const { validFromDate: from, validToDate: to, keyUsage: purposes } = own;
  if (nowMs < from.getTime()) wrong(`is valid from ${from.toISOString()} on only.`);
  if (nowMs >= to.getTime()) wrong(`ended on ${to.toISOString()}: renew it.`);
  if (Array.isArray(purposes) && !purposes.includes(PURPOSES[role]))
    wrong(`may not be presented by a ${role}: its extended key usage lacks ${role}Auth.`);
}

function checkPair(own: X509Certificate, pem: string, { certFile, keyFile }: TlsFiles, wrong: Wrong): void {
  try {
    if (!own.checkPrivateKey(createPrivateKey(pem)))
      wrong(`The private key ${keyFile} is not that of the certificate ${certFile}.`);
  } catch {
    // Without the cause: its message may quote the key.
    wrong(`${keyFile} is no private key in PEM without a passphrase.`);
  }
}

/** The last word is OpenSSL's, which also refuses keys that are too small for its security level. */
function checkContext(credentials: TlsCredentials, wrong: Wrong): void {
  try {
    createSecureContext(credentials);
  } catch (error) {
    wrong(`OpenSSL does not take these files together (${error instanceof Error ? error.message : 'unknown'}).`);
  }
}
