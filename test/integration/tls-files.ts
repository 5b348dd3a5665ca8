import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAuthority,
  type CertificateAuthority,
  type Issuance,
} from '../../apps/cli/src/certificates/certificate-authority.ts';

/** A folder with certificates as an operator would keep them; removed when disposed. */
export type TlsFolder = Disposable & {
  readonly path: string;
  readonly authority: CertificateAuthority;
  /** Writes a file whole, with the permissions of a secret, and gives its path. */
  write(name: string, text: string): string;
  /** Writes `NAME.pem`, `NAME.key` and `NAME-ca.pem`, the first two one after the other as people do. */
  issue(name: string, issuance: Issuance, by?: CertificateAuthority): Promise<Required<TlsPaths>>;
};

export type TlsPaths = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

export async function openTlsFolder(): Promise<TlsFolder> {
  const path = mkdtempSync(join(tmpdir(), 'linkspan-tls-'));
  const authority = await createAuthority('the authority of the test');
  function write(name: string, text: string): string {
    const file = join(path, name);
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return file;
  }
  return {
    path,
    authority,
    write,
    async issue(name, issuance, by = authority) {
      const { cert, key } = await by.issue(issuance);
      return {
        certFile: write(`${name}.pem`, cert),
        keyFile: write(`${name}.key`, key),
        caFile: write(`${name}-ca.pem`, authority.cert),
      };
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
