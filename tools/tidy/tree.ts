import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A source tree as a map from path (relative, `/` as separator) to text. */
export type Tree = ReadonlyMap<string, string>;

/** One broken rule; `line` counts from 1. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** A folder with its own package.json below packages, apps or systems. */
export interface Workspace {
  /** For example `packages/protocol`. */
  readonly folder: string;
  readonly name: string;
  readonly manifest: Manifest;
}

/** What tidy reads of a package.json: names to version ranges. */
export interface Manifest {
  readonly name: string;
  readonly dependencies: ReadonlyMap<string, string>;
  readonly devDependencies: ReadonlyMap<string, string>;
  readonly optionalDependencies: ReadonlyMap<string, string>;
}

const ignoredFolders = new Set(['node_modules', 'var', '.git', 'coverage']);
const binary = /\.(png|jpe?g|gif|ico|webp|woff2?|wasm|pdf|sqlite|db|p12|log)$/;

/** Reads every text file below `root`, without what npm, git or a running network put there. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !ignoredFolders.has(entry.name)) visit(path);
      if (entry.isFile() && !binary.test(entry.name)) tree.set(path, readFileSync(join(root, path), 'utf8'));
    }
  };
  visit('');
  return tree;
}

/** Every workspace of the tree, sorted by folder. Throws on a package.json that is no JSON object. */
export function findWorkspaces(tree: Tree): readonly Workspace[] {
  const folders = [...tree.keys()]
    .map((path) => /^((?:packages|apps|systems)\/[^/]+)\/package\.json$/.exec(path)?.[1])
    .filter((folder) => folder !== undefined);
  return folders.toSorted().map((folder) => {
    const manifest = parseManifest(tree.get(`${folder}/package.json`) ?? '{}');
    return { folder, name: manifest.name, manifest };
  });
}

/** The package.json at the top, which declares what tools and tests need. */
export function rootManifest(tree: Tree): Manifest {
  return parseManifest(tree.get('package.json') ?? '{}');
}

/** `packages/x`, `apps/x`, `systems/x`, or the first folder; undefined for a file at the top. */
export function ownerOf(path: string): string | undefined {
  return (/^(?:packages|apps|systems)\/[^/]+(?=\/)/.exec(path) ?? /^[^/]+(?=\/)/.exec(path))?.[0];
}

export function isScript(path: string): boolean {
  return /\.(ts|tsx|mts|js|mjs)$/.test(path);
}

export function isTest(path: string): boolean {
  return /(\.test|\/test-support)\.tsx?$/.test(path);
}

/** The line (from 1) on which `index` of `text` lies. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

function parseManifest(text: string): Manifest {
  const json: unknown = JSON.parse(text);
  if (!isRecord(json)) throw new Error('a package.json must hold a JSON object');
  return {
    name: typeof json['name'] === 'string' ? json['name'] : '',
    dependencies: stringMap(json['dependencies']),
    devDependencies: stringMap(json['devDependencies']),
    optionalDependencies: stringMap(json['optionalDependencies']),
  };
}

function stringMap(value: unknown): ReadonlyMap<string, string> {
  return new Map(Object.entries(isRecord(value) ? value : {}).map(([name, range]) => [name, String(range)]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
