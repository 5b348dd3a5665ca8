/** What one workspace may use. The table of docs and design: a direction that is not written here does not exist. */
export interface Direction {
  /** Workspaces by the last part of their name; `packages` means every package but testkit. */
  readonly packages: readonly string[] | 'packages';
  /** Third-party packages, each with the folder inside the workspace that alone may import it; `declared` = its package.json decides. */
  readonly thirdParty: Readonly<Record<string, string>> | 'declared';
  /** Node's own modules, by name without `node:`. */
  readonly builtins: readonly string[] | 'all';
  /** Pure code sees no clock, randomness, network or host. */
  readonly pure?: true;
}

export const directions: Readonly<Record<string, Direction>> = {
  'packages/protocol': { packages: [], thirdParty: { zod: 'src', '@noble/hashes': 'src' }, builtins: [], pure: true },
  'packages/scenario': { packages: ['protocol'], thirdParty: {}, builtins: [], pure: true },
  'packages/contract': { packages: ['protocol', 'scenario'], thirdParty: {}, builtins: [], pure: true },
  'packages/ledger': {
    packages: ['contract', 'scenario', 'protocol'],
    thirdParty: { '@hyperledger/fabric-gateway': 'src/fabric', '@grpc/grpc-js': 'src/fabric' },
    builtins: 'all',
  },
  'packages/plugin': {
    packages: ['protocol', 'keys'],
    thirdParty: {
      undici: 'src',
      viem: 'src/connectors/evm',
      '@hyperledger/fabric-gateway': 'src/connectors/fabric',
      '@grpc/grpc-js': 'src/connectors/fabric',
    },
    builtins: 'all',
  },
  'packages/audit': { packages: ['contract', 'scenario', 'protocol'], thirdParty: {}, builtins: [] },
  'packages/keys': {
    packages: ['protocol'],
    thirdParty: { secp256k1: 'src', koffi: 'src/pkcs11' },
    builtins: ['crypto', 'fs', 'tls'],
  },
  'packages/coordinator': {
    packages: ['ledger', 'plugin', 'scenario', 'contract', 'protocol'],
    thirdParty: {},
    builtins: 'all',
  },
  'packages/testkit': { packages: 'packages', thirdParty: 'declared', builtins: 'all' },
  'apps/*': { packages: 'packages', thirdParty: 'declared', builtins: 'all' },
  'systems/*': { packages: [], thirdParty: 'declared', builtins: 'all' },
};

/** Usable beyond the table in `*.test.ts`, without being declared by the workspace. Systems are strangers: of ours they get nothing. */
export const testExtras = { packages: ['testkit', 'keys'], thirdParty: ['fast-check'] } as const;

/** Only tests may depend on it. */
export const testOnlyPackage = 'testkit';

/** The one file that loads whatever program it is asked for: it runs before anything else, on whichever Node there is. */
export const launcher = 'apps/cli/bin/node24.js';

/** Folders outside every workspace whose code may use anything that some package.json declares. */
export const freeFolders: readonly string[] = ['tools', 'test'];

/** Root dependencies that are run as commands or read by the compiler, and so never imported. */
export const commandDependencies: ReadonlySet<string> = new Set([
  '@types/node',
  '@types/oidc-provider',
  'oxfmt',
  'oxlint',
  'oxlint-tsgolint',
  'typescript',
]);

/** Most third-party packages that may be needed at run time, counted through workspaces, without what one connector alone needs. */
export const limits: readonly {
  readonly title: string;
  readonly folders: readonly string[];
  readonly limit: number;
}[] = [
  {
    title: 'protocol+scenario+contract',
    folders: ['packages/protocol', 'packages/scenario', 'packages/contract'],
    limit: 2,
  },
  { title: 'validator', folders: ['apps/validator'], limit: 14 },
  { title: 'core-api', folders: ['apps/core-api'], limit: 14 },
];

/** Where a reason for every third-party dependency stands, one table row each. */
export const reasonsFile = 'docs/decisions/dependencies.md';

export function directionOf(folder: string): Direction | undefined {
  return directions[folder] ?? directions[folder.replace(/\/.*/, '/*')];
}
