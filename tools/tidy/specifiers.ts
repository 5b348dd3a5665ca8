import type { Token } from './tokens.ts';

/** One place where a file names another module. */
export interface Specifier {
  readonly kind: 'import' | 'resolve' | 'computed';
  /** What is named, for example `./x.ts`, `zod` or `node:fs`; empty for `computed`. */
  readonly name: string;
  readonly line: number;
}

/**
 * Finds every module specifier among code tokens: static, type and re-exports, `import()` as value and as type,
 * `require()`, and (as `resolve`) `import.meta.resolve()` and `require.resolve()`, which name a file without running it.
 * A specifier that is computed cannot be compared with the directions and is returned as `computed`.
 */
export function findSpecifiers(code: readonly Token[]): readonly Specifier[] {
  const found: Specifier[] = [];
  code.forEach((token, index) => {
    if (token.kind !== 'word') return;
    const previous = code[index - 1];
    const next = code[index + 1];
    const isMember = previous?.text === '.' || previous?.text === '?.';
    const afterClause = previous?.kind === 'word' || previous?.text === '}' || previous?.text === '*';

    if (token.text === 'from' && afterClause && next?.kind === 'string') found.push(named('import', next));
    if (token.text === 'import' && !isMember && next?.kind === 'string') found.push(named('import', next));
    if (isCall(next) && !isMember && (token.text === 'import' || token.text === 'require')) {
      if (isMethodName(code, index)) return;
      found.push(argument('import', code, index + 2));
    }
    if (token.text === 'resolve' && isCall(next) && resolvesModules(code, index)) {
      found.push(argument('resolve', code, index + 2));
    }
  });
  return found;
}

/** The package that a bare specifier belongs to: `@noble/hashes` for `@noble/hashes/sha2.js`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

export function isRelative(specifier: string): boolean {
  return /^\.{1,2}(\/|$)/.test(specifier);
}

function named(kind: Specifier['kind'], token: Token): Specifier {
  return { kind, name: token.text, line: token.line };
}

function argument(kind: Specifier['kind'], code: readonly Token[], index: number): Specifier {
  const token = code[index];
  const after = code[index + 1]?.text;
  const isLiteral = token?.kind === 'string' || token?.kind === 'template';
  if (token !== undefined && isLiteral && (after === ')' || after === ',')) return named(kind, token);
  return { kind: 'computed', name: '', line: token?.line ?? 0 };
}

function isCall(next: Token | undefined): boolean {
  return next?.kind === 'punctuation' && next.text === '(';
}

// A declaration of a function called `require` is no call of it.
function isMethodName(code: readonly Token[], index: number): boolean {
  return code[index - 1]?.text === 'function' || code[index - 1]?.text === 'async';
}

function resolvesModules(code: readonly Token[], index: number): boolean {
  const owner = code[index - 2];
  const isImportMeta = owner?.text === 'meta' && code[index - 4]?.text === 'import';
  return code[index - 1]?.text === '.' && (isImportMeta || owner?.text === 'require');
}
