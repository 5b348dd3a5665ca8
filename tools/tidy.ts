import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkDependencies, dependencyTable, type DependencyRow } from './tidy/check-dependencies.ts';
import { checkDirections } from './tidy/check-directions.ts';
import { checkSources } from './tidy/check-source.ts';
import { checkTexts } from './tidy/check-text.ts';
import { readTree, type Finding, type Tree } from './tidy/tree.ts';

/** Every finding in the tree, sorted by file and line. */
export function tidy(tree: Tree): readonly Finding[] {
  const findings = [...checkDirections(tree), ...checkSources(tree), ...checkTexts(tree), ...checkDependencies(tree)];
  return findings.toSorted((a, b) => compare(a.file, b.file) || a.line - b.line || compare(a.rule, b.rule));
}

/** `file:line rule message`, one line per finding. */
export function printFinding({ file, line, rule, message }: Finding): string {
  return `${file}:${line} ${rule} ${message}`;
}

/** The third-party packages that each app needs at run time, as a text table. */
export function printTable(rows: readonly DependencyRow[]): string {
  const cells = rows.map((row) => [
    row.title,
    row.limit === undefined ? `${row.counted}` : `${row.counted} of ${row.limit}`,
    row.direct.join(' ') || '-',
    row.throughWorkspaces.filter((name) => !row.connectorOnly.includes(name)).join(' ') || '-',
    row.connectorOnly.join(' ') || '-',
  ]);
  const table = [['needs', 'counted', 'direct', 'through workspaces', 'one connector only'], ...cells];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

// Through the launcher this file is not the first one that Node loads.
if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const tree = readTree(fileURLToPath(new URL('..', import.meta.url)));
  const findings = tidy(tree);
  for (const finding of findings) console.log(printFinding(finding));
  console.log(`${findings.length === 0 ? '' : '\n'}${printTable(dependencyTable(tree))}`);
  console.log(`\ntidy: ${findings.length} finding${findings.length === 1 ? '' : 's'} in ${tree.size} files`);
  if (findings.length > 0) process.exitCode = 1;
}
