import { test } from 'node:test';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { printFinding, printTable, tidy } from './tidy.ts';
import { dependencyTable } from './tidy/check-dependencies.ts';
import { readTree } from './tidy/tree.ts';

test('this repository is tidy', () => {
  const findings = tidy(readTree(fileURLToPath(new URL('..', import.meta.url))));
  assert.equal(findings.map(printFinding).join('\n'), '');
});

test('the sample tree, which every case below changes in one place, is tidy', () => {
  assert.deepEqual(findingsWith({}), []);
});

type Files = Readonly<Record<string, string>>;

/** Files laid over the sample tree, and how each finding that they cause begins. */
const cases: Readonly<Record<string, readonly [files: Files, ...findings: string[]]>> = {
  'a package above is not imported from below': [
    {
      'packages/protocol/src/a.ts': "import { start } from '@t/scenario';",
      ...manifest('packages/protocol', ['zod', '@t/scenario']),
    },
    'packages/protocol/package.json:4 direction packages/protocol may not use packages/scenario',
    'packages/protocol/src/a.ts:1 direction packages/protocol may not use packages/scenario',
  ],
  'a package above is not declared from below': [
    manifest('packages/protocol', ['zod', '@t/scenario']),
    'packages/protocol/package.json:4 direction packages/protocol may not use packages/scenario',
    'packages/protocol/package.json:4 unused @t/scenario',
  ],
  'a type import has a direction too': [
    { 'packages/scenario/src/a.ts': "export type A = import('node:fs').Stats;" },
    'packages/scenario/src/a.ts:1 direction packages/scenario may not use node:fs',
  ],
  'a re-export has a direction too': [
    { 'packages/scenario/src/a.ts': "\nexport * from 'node:path';" },
    'packages/scenario/src/a.ts:2 direction packages/scenario may not use node:path',
  ],
  'an import at run time has a direction too': [
    { 'packages/scenario/src/a.ts': "export const a = async () => import('fs');" },
    'packages/scenario/src/a.ts:1 direction packages/scenario may not use node:fs',
  ],
  'keys read files and make keys, and open no sockets': [
    { 'packages/keys/src/a.ts': "import 'node:net';\nimport 'node:fs';\nimport 'node:crypto';" },
    'packages/keys/src/a.ts:1 direction packages/keys may not use node:net',
  ],
  'viem stays inside its connector': [
    { 'packages/plugin/src/a.ts': "import 'viem';" },
    'packages/plugin/src/a.ts:1 direction viem may be imported only inside packages/plugin/src/connectors/evm',
  ],
  'an app does not import another app': [
    {
      'apps/validator/src/a.ts': "import '@t/core-api';",
      ...manifest('apps/validator', ['@t/plugin', 'pino', '@t/core-api']),
    },
    'apps/validator/package.json:5 direction apps/validator may not use apps/core-api',
    'apps/validator/src/a.ts:1 direction apps/validator may not use apps/core-api',
  ],
  'only tests use testkit': [
    {
      'packages/plugin/src/a.ts': "import '@t/testkit';",
      ...manifest('packages/plugin', ['@t/protocol', 'undici', 'viem', '@t/testkit']),
    },
    'packages/plugin/package.json:6 direction packages/plugin may not use packages/testkit',
    'packages/plugin/src/a.ts:1 direction packages/plugin may not use packages/testkit',
  ],
  'a system is a stranger, in its tests too': [
    { 'systems/rtgs/src/a.test.ts': "import '@t/keys';" },
    'systems/rtgs/src/a.test.ts:1 direction systems/rtgs may not use packages/keys',
  ],
  'relative imports stay at home': [
    { 'systems/rtgs/src/a.ts': "import '../../../packages/protocol/src/index.ts';" },
    "systems/rtgs/src/a.ts:1 direction '../../../packages/protocol/src/index.ts' leaves systems/rtgs",
  ],
  'a workspace does not import itself by name': [
    { 'systems/rtgs/src/a.ts': "import '@t/rtgs';" },
    'systems/rtgs/src/a.ts:1 direction systems/rtgs imports itself by name',
  ],
  'a computed module name cannot be checked': [
    { 'packages/plugin/src/a.ts': 'export const load = (name: string) => import(`./${name}.ts`);' },
    'packages/plugin/src/a.ts:1 direction the name of a module must be written out',
  ],
  'a new package needs a row in the table': [
    { 'packages/extra/package.json': '{ "name": "@t/extra" }' },
    'packages/extra/package.json:1 direction packages/extra has no row',
  ],
  'a relative import has its extension': [
    { 'tools/b.ts': "import './a';" },
    "tools/b.ts:1 import-extension write the extension .ts in './a'",
  ],

  'no clock in pure code': pure('Date.now()', 'Date.now'),
  'no date made of the clock in pure code': pure('new Date()', 'Date'),
  'no randomness in pure code': pure('Math.random()', 'Math.random'),
  'no text rules in pure code': pure("new Intl.NumberFormat('ja')", 'Intl'),
  'no timer in pure code': pure('setTimeout(f, 1)', 'setTimeout'),
  'no process in pure code': pure('process.pid', 'process'),
  'no process by a detour in pure code': pure('globalThis.process', 'process'),
  'no network in pure code': pure("fetch('x')", 'fetch'),
  'a library reads no environment': [
    { 'packages/plugin/src/a.ts': "export const a = process.env['A'];" },
    "packages/plugin/src/a.ts:1 library process.env belongs into an app's main.ts",
  ],
  'a library imports no process': [
    { 'packages/plugin/src/a.ts': "import { env } from 'node:process';" },
    'packages/plugin/src/a.ts:1 library a library takes its settings as values',
  ],
  'a library does not exit': [
    { 'packages/plugin/src/a.ts': 'process.exit(1);' },
    "packages/plugin/src/a.ts:1 library process.exit belongs into an app's main.ts",
  ],
  'a library does not print': [
    { 'packages/plugin/src/a.ts': "console.log('a');" },
    'packages/plugin/src/a.ts:1 library a library does not write to the console',
  ],

  'no parameter of type any': source('export function a(b: any): void {}', 'any'),
  'no any in a list of types': source('export type A = Map<string, any>;', 'any'),
  'no any as an alias': source('export type A = any;', 'any'),
  'no any in an array': source('export type A = { b?: any[] };', 'any'),
  'no assertion to any': source('export const a = b() as any;', 'any', 'assertion `as any`'),
  'no assertion through unknown': source('export const a = b as unknown as C;', 'assertion `as unknown as`'),
  'no assertion without a reason': source('export const a = b as C;', 'assertion `as` only'),
  'no assertion to an object type': source('export const a = f(b as { c: 1 });', 'assertion `as` only'),
  'no default export': source('export default 1;', 'default-export'),
  'no default export by renaming': source('export { a as default };', 'default-export'),
  'no test left out': [
    { 'tools/a.test.ts': "import { test } from 'node:test';\n\ntest.skip('a', () => {});" },
    'tools/a.test.ts:3 left-out .skip leaves tests out',
  ],
  'no test singled out': [
    { 'tools/a.test.ts': "test.only('a', () => {});" },
    'tools/a.test.ts:1 left-out .only leaves tests out',
  ],
  'no test put off': [{ 'tools/a.test.ts': "t.todo('later');" }, 'tools/a.test.ts:1 left-out .todo leaves tests out'],
  'no test left out by an option': [
    { 'tools/a.test.ts': "test('a', { skip: 'no time' }, () => {});" },
    'tools/a.test.ts:1 left-out the option skip leaves tests out',
  ],

  'a file is at most 450 lines long': [
    { 'tools/b.ts': 'f();\n'.repeat(451) },
    'tools/b.ts:451 length 451 lines, at most 450',
  ],
  'a file name is in kebab-case': [
    { 'tools/theFile.ts': '' },
    'tools/theFile.ts:1 file-name theFile.ts is not in kebab-case',
  ],
  'nothing is put off in a comment': [{ 'tools/b.ts': '\n// TODO later' }, 'tools/b.ts:2 word TODO: do it'],
  'nothing is put off in a document': [{ 'docs/a.md': 'FIXME' }, 'docs/a.md:1 word FIXME: do it'],
  'no path of one machine': [
    { 'docs/a.md': '\n\nsee `/home/kim/notes`' },
    'docs/a.md:3 machine-path /home/: a path of one machine',
  ],
  'no registry host': [
    { 'docs/a.md': 'https://registry.npmjs.org/zod' },
    'docs/a.md:1 registry registry.npmjs.org: which registry',
  ],
  'no registry in the npm settings': [
    { '.npmrc': 'fund=false\nregistry=x' },
    '.npmrc:2 registry registry=: which registry',
  ],
  'no registry in the lock file': [
    { 'package-lock.json': '{\n"resolved": "https://example.test/zod.tgz" }' },
    'package-lock.json:2 registry "resolved": "https:: the lock file names a registry',
  ],

  'a used dependency is declared': [
    { 'systems/rtgs/src/a.ts': "import 'zod';" },
    'systems/rtgs/src/a.ts:1 undeclared zod is not declared in systems/rtgs/package.json',
  ],
  'what Solidity imports is declared': [
    { 'systems/rtgs/contracts/A.sol': 'import {B} from "@oz/contracts/B.sol";' },
    'systems/rtgs/contracts/A.sol:1 undeclared @oz/contracts is not declared in systems/rtgs/package.json',
  ],
  'a tool uses only what some package.json declares': [
    { 'tools/b.ts': "import 'left-pad';" },
    'tools/b.ts:1 undeclared left-pad is not declared in any package.json',
  ],
  'a declared dependency is used': [
    manifest('systems/rtgs', ['fastify', 'zod']),
    'systems/rtgs/package.json:4 unused zod is declared and not used',
  ],
  'what only tests use is a devDependency': [
    { ...manifest('systems/rtgs', ['fastify', 'zod']), 'systems/rtgs/src/a.test.ts': "import 'zod';" },
    'systems/rtgs/package.json:4 unused zod is declared and not used outside tests',
  ],
  'a dependency of the root is used': [
    { 'tools/a.ts': '' },
    'package.json:1 unused fast-check is declared and not used',
  ],
  'a dependency has a reason': [
    { 'systems/rtgs/src/a.ts': "import 'solc';", ...manifest('systems/rtgs', ['fastify', 'solc']) },
    'systems/rtgs/package.json:4 reason solc has no row in docs/decisions/dependencies.md',
  ],
  'a reason has a dependency': [
    { 'docs/decisions/dependencies.md': `${reasons()}| \`solc\` | why | where |\n` },
    'docs/decisions/dependencies.md:11 reason solc is no dependency any more',
  ],
  'an app has not too many dependencies': manyDependencies(12),
};

for (const [title, [files, ...expected]] of Object.entries(cases)) {
  test(title, () => {
    const findings = findingsWith(files);
    const beginnings = findings.map((line, index) => line.slice(0, expected[index]?.length));
    assert.deepEqual(beginnings, expected);
  });
}

test('words in comments, strings, templates and regular expressions are not code', () => {
  const text = [
    "// import 'node:fs'; Date.now() as any",
    'export const a = \'import("node:fs") Date.now()\';',
    'export const b = `process ${a.replace(/`fetch("/, a)} as any`;',
    'export const c = (a.length / 2) / Number(b) /* default export: any */;',
    'export { a as d };',
    'export const e = { process: 1, fetch: a, any: 2, as: 3 } as const;',
    'export const f = e.process + e.any + Date.UTC(1, 2) + Math.max(1, 2);',
    "export const g = `${`${'}'}`}`;",
  ].join('\n');
  assert.deepEqual(findingsWith({ 'packages/protocol/src/a.ts': text }), []);
});

test('code after a template, a regular expression or a division is seen', () => {
  for (const before of [
    'const a = `x${`y${1}`}z`;',
    "const a = /[/'`]/.test('b');",
    'const a = b[0] / c() / 2;',
    "const a = '\\'';",
  ]) {
    const findings = findingsWith({ 'packages/protocol/src/a.ts': `${before}\nDate.now();` });
    assert.deepEqual(findings, [
      'packages/protocol/src/a.ts:2 pure Date.now is not for pure code: take its result as a value',
    ]);
  }
});

test('code between two divisions or around a comment is seen', () => {
  for (const line of ['const a = b / Date.now() / 2;', 'const a = Date/* c */.now();', 'const a = `${Date.now()}`;']) {
    const findings = findingsWith({ 'packages/protocol/src/a.ts': line });
    assert.equal(findings[0]?.slice(0, 41), 'packages/protocol/src/a.ts:1 pure Date.no', line);
  }
});

test('an assertion below a comment that explains it may stand', () => {
  const text = '// Brand: the pattern was matched.\nexport function lei(text: string): Lei {\n  return text as Lei;\n}';
  assert.deepEqual(findingsWith({ 'packages/protocol/src/a.ts': text }), []);
});

test('tests may use testkit, keys, fast-check and node without declaring them', () => {
  const text = "import '@t/testkit';\nimport '@t/keys';\nimport 'fast-check';\nimport 'node:fs';\nDate.now();";
  assert.deepEqual(findingsWith({ 'packages/protocol/src/a.test.ts': text }), []);
});

test('the table counts through workspaces and leaves out what one connector alone needs', () => {
  const row = dependencyTable(sampleWith({})).find(({ title }) => title === 'validator');
  assert.deepEqual(row, {
    title: 'validator',
    direct: ['pino'],
    throughWorkspaces: ['undici', 'viem', 'zod'],
    connectorOnly: ['viem'],
    counted: 3,
    limit: 14,
  });
  assert.match(printTable([row]), /^validator {2}3 of 14 {2}pino {4}undici zod {10}viem$/m);
});

function findingsWith(files: Files): readonly string[] {
  return tidy(sampleWith(files)).map(printFinding);
}

function sampleWith(files: Files): ReadonlyMap<string, string> {
  return new Map(Object.entries({ ...sample(), ...files }));
}

function sample(): Files {
  return {
    'package.json': '{ "devDependencies": { "fast-check": "1", "typescript": "1" } }',
    'docs/decisions/dependencies.md': reasons(),
    'tools/a.ts': "import 'fast-check';",
    ...manifest('packages/protocol', ['zod']),
    'packages/protocol/src/index.ts': "import { z } from 'zod';\nexport type { A } from './a.ts';",
    ...manifest('packages/scenario', ['@t/protocol']),
    'packages/scenario/src/index.ts': "import '@t/protocol';",
    ...manifest('packages/keys', []),
    ...manifest('packages/testkit', []),
    ...manifest('packages/plugin', ['@t/protocol', 'undici', 'viem']),
    'packages/plugin/src/index.ts': "import '@t/protocol';\nimport 'undici';",
    'packages/plugin/src/connectors/evm/evm.ts': "import type { Hex } from 'viem';",
    ...manifest('apps/core-api', []),
    ...manifest('apps/validator', ['@t/plugin', 'pino']),
    'apps/validator/src/main.ts': "import '@t/plugin';\nimport 'pino';\nimport '@t/plugin';\nprocess.exit();",
    ...manifest('systems/rtgs', ['fastify']),
    'systems/rtgs/src/main.ts': "import 'fastify';",
  };
}

function manifest(folder: string, dependencies: readonly string[]): Files {
  const name = folder.replace(/.*\//, '@t/');
  const lines = dependencies.map((dependency) => `"${dependency}": "1"`).join(',\n');
  return { [`${folder}/package.json`]: `{ "name": "${name}",\n"dependencies": {\n${lines} } }` };
}

function reasons(more: readonly string[] = []): string {
  const rows = ['zod', 'undici', 'viem', 'pino', 'fastify', 'fast-check', 'typescript', ...more];
  return `# Reasons\n\n| name | reason |\n${rows.map((name) => `| \`${name}\` | why |\n`).join('')}`;
}

function pure(expression: string, shown: string): readonly [Files, string] {
  return [
    { 'packages/scenario/src/a.ts': `export const a = ${expression};` },
    `packages/scenario/src/a.ts:1 pure ${shown} is not for pure code`,
  ];
}

function source(text: string, ...expected: readonly string[]): readonly [Files, ...string[]] {
  return [{ 'tools/b.ts': text }, ...expected.map((finding) => `tools/b.ts:1 ${finding}`)];
}

function manyDependencies(count: number): readonly [Files, string] {
  const names = Array.from({ length: count }, (_, index) => `x${index}`);
  const files = {
    ...manifest('apps/validator', ['@t/plugin', 'pino', ...names]),
    'apps/validator/src/a.ts': names.map((name) => `import '${name}';`).join('\n'),
    'docs/decisions/dependencies.md': reasons(names),
  };
  return [files, `apps/validator/package.json:1 count validator needs ${count + 3} third-party packages, at most 14`];
}
