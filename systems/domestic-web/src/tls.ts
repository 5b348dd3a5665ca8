import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { StartError } from './start-error.ts';

/** The files of the server's certificate and key, and of the authorities without whose certificates nobody may connect. */
export type TlsFiles = { certFile: string; keyFile: string; clientCaFile: string | undefined };

export type TlsOptions = {
  cert: string;
  key: string;
  ca?: string;
  requestCert: boolean;
  rejectUnauthorized: boolean;
  secureOptions: number;
};

/** What the server is opened with. Throws StartError with one sentence when a file cannot be used. */
export function readTls({ certFile, keyFile, clientCaFile }: TlsFiles): TlsOptions {
  const cert = read(certFile);
  const key = readPrivate(keyFile);
  const ca = clientCaFile === undefined ? undefined : read(clientCaFile);
  const needsClient = ca !== undefined;
  const own = { cert, key, ...(ca === undefined ? {} : { ca }), secureOptions: constants.SSL_OP_NO_TICKET };
  try {
    createSecureContext(own);
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new Error('they are not a pair');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`The certificate ${certFile} and the key ${keyFile} cannot be used: ${why}.`, { cause });
  }
  return { ...own, requestCert: needsClient, rejectUnauthorized: needsClient };
}

/** Has the server present what the files hold whenever they change, as long as they can be used. Gives what ends that. */
export function followTls(server: Server, files: TlsFiles, onFault: (fault: unknown) => void): () => void {
  const paths = [files.certFile, files.keyFile, files.clientCaFile].filter((path) => path !== undefined);
  const renew = (): void => {
    try {
      server.setSecureContext(readTls(files));
    } catch (fault) {
      // Between the writing of one file and the other they are no pair; the next change is looked at again.
      onFault(fault);
    }
  };
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, renew);
  return () => {
    for (const path of paths) unwatchFile(path, renew);
  };
}

const LOOK_EVERY_MS = 1000;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StartError(`The file ${file} cannot be read.`, { cause });
  }
}

function readPrivate(file: string): string {
  const text = read(file);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new StartError(`The private key ${file} can be used by others. Run: chmod 600 ${file}`);
  }
  return text;
}
