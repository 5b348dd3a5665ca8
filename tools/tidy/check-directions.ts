import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { directionOf, freeFolders, testExtras, testOnlyPackage, type Direction, launcher } from './directions.ts';
import { findSpecifiers, isRelative, packageOf, type Specifier } from './specifiers.ts';
import { codeOf, tokenize } from './tokens.ts';
import { findWorkspaces, isScript, isTest, lineAt, ownerOf, type Finding, type Tree, type Workspace } from './tree.ts';

/** Compares every package.json and every import with the table of directions. */
export function checkDirections(tree: Tree): readonly Finding[] {
  const workspaces = findWorkspaces(tree);
  const manifests = workspaces.flatMap((workspace) => checkManifest(workspace, workspaces, tree));
  const imports = [...tree.keys()].filter(isScript).flatMap((file) => checkImports(file, workspaces, tree));
  return [...manifests, ...imports];
}

function checkManifest(workspace: Workspace, workspaces: readonly Workspace[], tree: Tree): readonly Finding[] {
  const file = `${workspace.folder}/package.json`;
  const text = tree.get(file) ?? '';
  const direction = directionOf(workspace.folder);
  if (direction === undefined) {
    return [
      { file, line: 1, rule: 'direction', message: `${workspace.folder} has no row in tools/tidy/directions.ts` },
    ];
  }
  const { dependencies, optionalDependencies, devDependencies } = workspace.manifest;
  const check = (name: string, forTests: boolean): readonly Finding[] => {
    const refusal = refuse({ name, from: workspace, direction, workspaces, forTests });
    const line = lineAt(text, text.indexOf(`"${name}"`));
    return refusal === undefined ? [] : [{ file, line, rule: 'direction', message: refusal }];
  };
  return [
    ...[...dependencies.keys(), ...optionalDependencies.keys()].flatMap((name) => check(name, false)),
    ...[...devDependencies.keys()].flatMap((name) => check(name, true)),
  ];
}

function checkImports(file: string, workspaces: readonly Workspace[], tree: Tree): readonly Finding[] {
  const owner = ownerOf(file);
  const specifiers = findSpecifiers(codeOf(tokenize(tree.get(file) ?? '')));
  const from = workspaces.find((workspace) => workspace.folder === owner);
  return specifiers.flatMap((specifier) => {
    const finding = (rule: string, message: string): readonly Finding[] => [
      { file, line: specifier.line, rule, message },
    ];
    const extension = file.endsWith('.js') ? /\.js$/ : /\.(ts|tsx|json)$/;
    if (isRelative(specifier.name) && specifier.kind === 'import' && !extension.test(specifier.name)) {
      return finding('import-extension', `write the extension .ts in '${specifier.name}'`);
    }
    if (from === undefined) return [];
    const message = refuseImport(specifier, file, from, workspaces);
    return message === undefined ? [] : finding('direction', message);
  });
}

function refuseImport(
  specifier: Specifier,
  file: string,
  from: Workspace,
  workspaces: readonly Workspace[],
): string | undefined {
  const { name } = specifier;
  const direction = directionOf(from.folder);
  if (direction === undefined) return undefined;
  if (specifier.kind === 'computed' && file !== launcher)
    return 'the name of a module must be written out, so that it can be checked';
  if (isRelative(name)) {
    const target = posix.join(posix.dirname(file), name);
    return target.startsWith(`${from.folder}/`) ? undefined : `'${name}' leaves ${from.folder}`;
  }
  if (isBuiltin(name)) return refuseBuiltin(name.replace(/^node:/, ''), direction, from, isTest(file));
  const imported = packageOf(name);
  const folder = direction.thirdParty === 'declared' ? undefined : direction.thirdParty[imported];
  if (folder !== undefined && !file.startsWith(`${from.folder}/${folder}/`)) {
    return `${imported} may be imported only inside ${from.folder}/${folder}`;
  }
  return refuse({ name: imported, from, direction, workspaces, forTests: isTest(file) });
}

function refuseBuiltin(name: string, direction: Direction, from: Workspace, forTests: boolean): string | undefined {
  const allowed = forTests || direction.builtins === 'all' || direction.builtins.includes(name);
  return allowed ? undefined : `${from.folder} may not use node:${name}`;
}

interface Use {
  readonly name: string;
  readonly from: Workspace;
  readonly direction: Direction;
  readonly workspaces: readonly Workspace[];
  readonly forTests: boolean;
}

function refuse({ name, from, direction, workspaces, forTests }: Use): string | undefined {
  if (name === from.name) return `${from.folder} imports itself by name; use a relative path`;
  const target = workspaces.find((workspace) => workspace.name === name);
  if (target === undefined) return refuseThirdParty(name, direction, from, forTests);
  return mayUse(target.folder, from, direction, forTests) ? undefined : `${from.folder} may not use ${target.folder}`;
}

function mayUse(target: string, from: Workspace, direction: Direction, forTests: boolean): boolean {
  const short = target.replace(/^packages\//, '');
  if (short === target) return false;
  const isStranger = from.folder.startsWith('systems/');
  if (forTests && !isStranger && testExtras.packages.some((extra) => extra === short)) return true;
  if (direction.packages === 'packages') return short !== testOnlyPackage;
  return direction.packages.includes(short);
}

function refuseThirdParty(name: string, direction: Direction, from: Workspace, forTests: boolean): string | undefined {
  const allowed =
    direction.thirdParty === 'declared' ||
    Object.hasOwn(direction.thirdParty, name) ||
    (forTests && testExtras.thirdParty.some((extra) => extra === name));
  return allowed ? undefined : `${from.folder} may not use ${name}`;
}

/** Whether a file may use whatever any package.json of the tree declares. */
export function isFree(file: string): boolean {
  return freeFolders.includes(ownerOf(file) ?? '');
}
