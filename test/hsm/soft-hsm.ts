import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Linux distributions and Homebrew put SoftHSM; `SOFTHSM_MODULE` names another place. */
export const softHsmModule = [
  process.env['SOFTHSM_MODULE'] ?? '',
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
].find((path) => path !== '' && existsSync(path));

export const PIN = '471147';

/** A SoftHSM of one test file, in a folder of its own. The process can have only one: the module reads where it is once. */
export type SoftHsm = Disposable & {
  readonly directory: string;
  readonly module: string;
  /** Makes a token of the PIN {@link PIN}. */
  addToken(label: string): Promise<void>;
  /** Takes a key into a token: PKCS#8 in PEM. */
  importKey(token: string, keyFile: string, key: { readonly label: string; readonly id: string }): Promise<void>;
  /** Takes a token away, with its keys. */
  removeToken(label: string): Promise<void>;
  /** A file of this folder that nobody else can read. */
  secretFile(name: string, content: string): string;
};

export function startSoftHsm(): SoftHsm {
  if (softHsmModule === undefined) throw new TypeError('SoftHSM is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-hsm-'));
  const tokens = join(directory, 'tokens');
  mkdirSync(tokens);
  const configuration = join(directory, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env['SOFTHSM2_CONF'] = configuration;
  const util = async (...args: string[]): Promise<void> => {
    await run('softhsm2-util', ['--module', softHsmModule ?? '', ...args]);
  };
  return {
    directory,
    module: softHsmModule,
    addToken: (label) => util('--init-token', '--free', '--label', label, '--pin', PIN, '--so-pin', '47114711'),
    importKey: (token, keyFile, { label, id }) =>
      util('--import', keyFile, '--token', token, '--label', label, '--id', id, '--pin', PIN),
    removeToken: (label) => util('--delete-token', '--token', label),
    secretFile(name, content) {
      const path = join(directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const run = promisify(execFile);

/** A new key in PKCS#8. */
export function newKey(curve: 'P-256' | 'P-384' = 'P-256'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
