import { isBuiltin } from 'node:module';
import { isFree } from './check-directions.ts';
import { commandDependencies, limits, reasonsFile, testExtras } from './directions.ts';
import { findSpecifiers, isRelative, packageOf } from './specifiers.ts';
import { codeOf, tokenize } from './tokens.ts';
import { findWorkspaces, isScript, isTest, lineAt, ownerOf, rootManifest } from './tree.ts';
import type { Finding, Manifest, Tree, Workspace } from './tree.ts';

/** What one app needs at run time; `counted` is what the limits are about. */
export interface DependencyRow {
  readonly title: string;
  readonly direct: readonly string[];
  /** Needed by the workspaces it uses, and not by itself. */
  readonly throughWorkspaces: readonly string[];
  /** Needed by one connector alone, and so not counted. */
  readonly connectorOnly: readonly string[];
  readonly counted: number;
  readonly limit: number | undefined;
}

/** Declared against used, in every workspace; a reason for everything; not too many. */
export function checkDependencies(tree: Tree): readonly Finding[] {
  const workspaces = findWorkspaces(tree);
  const uses = findUses(tree);
  return [
    ...checkUndeclared(tree, workspaces, uses),
    ...workspaces.flatMap((workspace) => checkUnused(workspace, tree, uses)),
    ...checkUnusedAtRoot(tree, uses),
    ...checkReasons(tree, workspaces),
    ...checkCounts(tree),
  ];
}

/** One row per app, and one for each further group that has a limit. */
export function dependencyTable(tree: Tree): readonly DependencyRow[] {
  const workspaces = findWorkspaces(tree);
  const uses = findUses(tree);
  const apps = workspaces.filter(({ folder }) => folder.startsWith('apps/'));
  const groups = [
    ...limits,
    ...apps
      .filter(({ folder }) => !limits.some((group) => group.folders.includes(folder)))
      .map(({ folder }) => ({ title: folder.replace('apps/', ''), folders: [folder], limit: undefined })),
  ];
  return groups.map(({ title, folders, limit }) => countGroup({ title, folders, limit, workspaces, uses }));
}

/** Where the code names a package: by an import or, for what is run or read as a file, in a string. */
interface PackageUse {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly isImport: boolean;
}

function findUses(tree: Tree): readonly PackageUse[] {
  return [...tree].flatMap(([file, text]) => {
    if (file.endsWith('.sol')) return solidityImports(file, text);
    if (!isScript(file)) return [];
    const code = codeOf(tokenize(text));
    const imports = findSpecifiers(code)
      .filter(({ kind, name }) => kind !== 'computed' && !isRelative(name) && !isBuiltin(name))
      .map(({ name, line }) => ({ name: packageOf(name), file, line, isImport: true }));
    const mentions = code
      .filter(({ kind }) => kind === 'string' || kind === 'template')
      .map(({ text: name, line }) => ({ name: packageOf(name), file, line, isImport: false }));
    return [...imports, ...mentions];
  });
}

function solidityImports(file: string, text: string): readonly PackageUse[] {
  return [...text.matchAll(/^\s*import\b[^;"']*["']([^"'.][^"']*)["']/gm)].map((found) => {
    return { name: packageOf(found[1] ?? ''), file, line: lineAt(text, found.index), isImport: true };
  });
}

function checkUndeclared(
  tree: Tree,
  workspaces: readonly Workspace[],
  uses: readonly PackageUse[],
): readonly Finding[] {
  const root = rootManifest(tree);
  const ours = new Map(workspaces.map((workspace) => [workspace.folder, workspace]));
  const anywhere = new Set([
    ...workspaces.flatMap(({ name, manifest }) => [name, ...declaredBy(manifest)]),
    ...declaredBy(root),
  ]);
  const extras: ReadonlySet<string> = new Set([
    ...testExtras.thirdParty,
    ...workspaces
      .filter(({ folder }) => testExtras.packages.some((extra) => folder === `packages/${extra}`))
      .map(({ name }) => name),
  ]);
  return uses.flatMap(({ name, file, line, isImport }) => {
    const workspace = ours.get(ownerOf(file) ?? '');
    if (!isImport || workspace?.name === name || (workspace === undefined && !isFree(file))) return [];
    const declared =
      workspace === undefined
        ? anywhere.has(name)
        : runtimeNames(workspace.manifest).includes(name) ||
          (isTest(file) &&
            (extras.has(name) || declaredBy(workspace.manifest).includes(name) || root.devDependencies.has(name)));
    const where = workspace === undefined ? 'any package.json' : `${workspace.folder}/package.json`;
    return declared ? [] : [{ file, line, rule: 'undeclared', message: `${name} is not declared in ${where}` }];
  });
}

function checkUnused(workspace: Workspace, tree: Tree, uses: readonly PackageUse[]): readonly Finding[] {
  const file = `${workspace.folder}/package.json`;
  const text = tree.get(file) ?? '';
  const own = uses.filter((use) => use.file.startsWith(`${workspace.folder}/`));
  const isUsed = (name: string, byTests: boolean): boolean =>
    own.some((use) => isUseOf(use, name) && (byTests || !isTest(use.file)));
  const unused = [
    ...runtimeNames(workspace.manifest).filter((name) => !isUsed(name, false)),
    ...[...workspace.manifest.devDependencies.keys()].filter((name) => !isUsed(name, true)),
  ];
  return unused.map((name) => {
    const onlyTests = isUsed(name, true) ? ' outside tests: declare it in devDependencies' : '';
    const line = lineAt(text, text.indexOf(`"${name}"`));
    return { file, line, rule: 'unused', message: `${name} is declared and not used${onlyTests}` };
  });
}

function checkUnusedAtRoot(tree: Tree, uses: readonly PackageUse[]): readonly Finding[] {
  const text = tree.get('package.json') ?? '';
  const { dependencies, devDependencies } = rootManifest(tree);
  return [...dependencies.keys(), ...devDependencies.keys()]
    .filter((name) => !commandDependencies.has(name) && !uses.some((use) => isUseOf(use, name)))
    .map((name) => {
      const line = lineAt(text, text.indexOf(`"${name}"`));
      return { file: 'package.json', line, rule: 'unused', message: `${name} is declared and not used` };
    });
}

// A program that npm ships per platform is found as `name-linux-x64`, put together in a template.
function isUseOf(use: PackageUse, name: string): boolean {
  return use.name === name || (!use.isImport && use.name.startsWith(`${name}-`));
}

function checkReasons(tree: Tree, workspaces: readonly Workspace[]): readonly Finding[] {
  const text = tree.get(reasonsFile) ?? '';
  const rows = new Map([...text.matchAll(/^\| `([^`]+)` \|/gm)].map((row) => [row[1] ?? '', lineAt(text, row.index)]));
  const ours = new Set(workspaces.map(({ name }) => name));
  const declared = new Map<string, string>();
  for (const name of declaredBy(rootManifest(tree))) declared.set(name, 'package.json');
  for (const { folder, manifest } of workspaces) {
    for (const name of declaredBy(manifest)) if (!ours.has(name)) declared.set(name, `${folder}/package.json`);
  }
  const missing = [...declared].filter(([name]) => !rows.has(name));
  const stale = [...rows].filter(([name]) => !declared.has(name));
  return [
    ...missing.map(([name, file]) => {
      const line = lineAt(tree.get(file) ?? '', (tree.get(file) ?? '').indexOf(`"${name}"`));
      return { file, line, rule: 'reason', message: `${name} has no row in ${reasonsFile}` };
    }),
    ...stale.map(([name, line]) => ({
      file: reasonsFile,
      line,
      rule: 'reason',
      message: `${name} is no dependency any more`,
    })),
  ];
}

function checkCounts(tree: Tree): readonly Finding[] {
  return dependencyTable(tree).flatMap(({ title, counted, limit }) => {
    if (limit === undefined || counted <= limit) return [];
    const group = limits.find((entry) => entry.title === title);
    const file = `${group?.folders[0] ?? ''}/package.json`;
    return [
      { file, line: 1, rule: 'count', message: `${title} needs ${counted} third-party packages, at most ${limit}` },
    ];
  });
}

interface Group {
  readonly title: string;
  readonly folders: readonly string[];
  readonly limit: number | undefined;
  readonly workspaces: readonly Workspace[];
  readonly uses: readonly PackageUse[];
}

function countGroup({ title, folders, limit, workspaces, uses }: Group): DependencyRow {
  const ours = new Map(workspaces.map((workspace) => [workspace.name, workspace]));
  const roots = workspaces.filter(({ folder }) => folders.includes(folder));
  const closure = closeOver(roots, ours);
  const thirdParty = (of: Iterable<Workspace>): ReadonlySet<string> =>
    new Set([...of].flatMap(({ manifest }) => runtimeNames(manifest).filter((name) => !ours.has(name))));
  const direct = thirdParty(roots);
  const all = thirdParty(closure);
  const connectorOnly = [...all].filter((name) => isConnectorOnly(name, closure, uses)).toSorted();
  return {
    title,
    direct: [...direct].toSorted(),
    throughWorkspaces: [...all].filter((name) => !direct.has(name)).toSorted(),
    connectorOnly,
    counted: all.size - connectorOnly.length,
    limit,
  };
}

function closeOver(roots: readonly Workspace[], ours: ReadonlyMap<string, Workspace>): ReadonlySet<Workspace> {
  const closure = new Set(roots);
  // A Set is iterated in insertion order, members added meanwhile included.
  for (const { manifest } of closure) {
    for (const name of runtimeNames(manifest)) {
      const workspace = ours.get(name);
      if (workspace !== undefined) closure.add(workspace);
    }
  }
  return closure;
}

function isConnectorOnly(name: string, closure: ReadonlySet<Workspace>, uses: readonly PackageUse[]): boolean {
  const places = [...closure]
    .filter(({ manifest }) => runtimeNames(manifest).includes(name))
    .flatMap(({ folder }) => {
      const files = uses.filter(
        (use) => use.name === name && use.isImport && use.file.startsWith(`${folder}/`) && !isTest(use.file),
      );
      return files.length === 0
        ? [folder]
        : files.map(({ file }) => /^.*\/connectors\/[^/]+(?=\/)/.exec(file)?.[0] ?? folder);
    });
  return new Set(places).size === 1 && places.every((place) => place.includes('/connectors/'));
}

function runtimeNames({ dependencies, optionalDependencies }: Manifest): readonly string[] {
  return [...dependencies.keys(), ...optionalDependencies.keys()];
}

function declaredBy(manifest: Manifest): readonly string[] {
  return [...runtimeNames(manifest), ...manifest.devDependencies.keys()];
}
