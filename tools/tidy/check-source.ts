import { directionOf } from './directions.ts';
import { tokenize, codeOf, type Token } from './tokens.ts';
import { isScript, isTest, ownerOf, type Finding, type Tree } from './tree.ts';

/** Rules about code: what pure code and libraries may not touch, assertions, `any`, default exports, tests left out. */
export function checkSources(tree: Tree): readonly Finding[] {
  return [...tree].filter(([file]) => isScript(file)).flatMap(([file, text]) => checkSource(file, text));
}

type Report = (token: Token, rule: string, message: string) => void;

function checkSource(file: string, text: string): readonly Finding[] {
  const findings: Finding[] = [];
  const tokens = tokenize(text);
  const code = codeOf(tokens);
  const report: Report = (token, rule, message) => findings.push({ file, line: token.line, rule, message });

  const owner = ownerOf(file) ?? '';
  if (directionOf(owner)?.pure === true && !isTest(file)) checkPure(code, report);
  if (owner.startsWith('packages/') && !isTest(file)) checkLibrary(code, report);
  if (isTest(file) || owner === 'test') checkLeftOut(code, report);
  checkAny(code, report);
  checkAssertions(tokens, report);
  checkDefaultExport(code, report);
  return findings;
}

const impureGlobals = new Set(['Intl', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'fetch']);

function checkPure(code: readonly Token[], report: Report): void {
  code.forEach((token, index) => {
    if (token.kind !== 'word' || !isGlobal(code, index)) return;
    const next = code[index + 1]?.text;
    const member = next === '.' || next === '?.' ? code[index + 2]?.text : undefined;
    const banned =
      (token.text === 'Date' && (member === 'now' || code[index - 1]?.text === 'new')) ||
      (token.text === 'Date' && next === '(') ||
      (token.text === 'Math' && member === 'random') ||
      impureGlobals.has(token.text);
    const shown = member === undefined || impureGlobals.has(token.text) ? token.text : `${token.text}.${member}`;
    if (banned) report(token, 'pure', `${shown} is not for pure code: take its result as a value`);
  });
}

function checkLibrary(code: readonly Token[], report: Report): void {
  code.forEach((token, index) => {
    if (token.kind === 'string' && /^(node:)?process$/.test(token.text) && code[index - 1]?.text === 'from') {
      report(token, 'library', 'a library takes its settings as values and does not import node:process');
    }
    if (token.kind !== 'word' || !isGlobal(code, index) || !/^\??\.$/.test(code[index + 1]?.text ?? '')) return;
    const member = code[index + 2]?.text;
    if (token.text === 'process' && (member === 'env' || member === 'exit')) {
      report(token, 'library', `process.${member} belongs into an app's main.ts`);
    }
    if (token.text === 'console') report(token, 'library', 'a library does not write to the console');
  });
}

// A name after a dot is a member and a name before a colon is a key; neither is the global of that name.
function isGlobal(code: readonly Token[], index: number): boolean {
  const previous = code[index - 1]?.text;
  if (previous === '.' || previous === '?.') return code[index - 2]?.text === 'globalThis';
  const isTernary = previous === '?';
  const next = code[index + 1]?.text;
  const isOptionalKey = next === '?' && code[index + 2]?.text === ':';
  return (next !== ':' || isTernary) && !isOptionalKey;
}

const testFunctions = new Set(['test', 'it', 'describe', 'suite']);
const leftOut = new Set(['skip', 'only', 'todo']);
/** The one way to leave a test out: the variable of this name says what the machine lacks. It is printed, and fails with CI=true. */
const reason = 'missing';

function checkLeftOut(code: readonly Token[], report: Report): void {
  code.forEach((token, index) => {
    if (token.kind !== 'word') return;
    const previous = code[index - 1]?.text;
    const next = code[index + 1]?.text;
    if (leftOut.has(token.text) && previous === '.' && next === '(') {
      report(token, 'left-out', `.${token.text} leaves tests out`);
    }
    const optionsAt = index + 4;
    const hasOptions = code[index + 3]?.text === ',' && code[optionsAt]?.text === '{';
    if (!testFunctions.has(token.text) || previous === '.' || next !== '(' || !hasOptions) return;
    for (let at = optionsAt + 1; at < code.length && code[at]?.text !== '}'; at += 1) {
      const key = code[at];
      const isReason = key?.text === 'skip' && code[at + 1]?.text === ':' && code[at + 2]?.text === reason;
      if (isReason) continue;
      if (key !== undefined && leftOut.has(key.text) && [':', ',', '}'].includes(code[at + 1]?.text ?? '')) {
        report(key, 'left-out', `the option ${key.text} leaves tests out`);
      }
    }
  });
}

const beforeType = new Set([':', '<', '|', '&', '=>', 'as', 'is', 'satisfies', 'extends', 'readonly', 'keyof', '?']);

function checkAny(code: readonly Token[], report: Report): void {
  code.forEach((token, index) => {
    if (token.kind !== 'word' || token.text !== 'any') return;
    const previous = code[index - 1];
    const next = code[index + 1]?.text ?? '';
    const inTypeList = previous?.text === ',' && (next === '>' || (next === ',' && opensTypeList(code, index)));
    const isAlias = previous?.text === '=' && isTypeAlias(code, index);
    const annotates = beforeType.has(previous?.text ?? '') && !['(', '.', '?.', ':'].includes(next);
    const isArray = next === '[' && code[index + 2]?.text === ']' && previous?.text !== '.';
    if (inTypeList || isAlias || annotates || isArray)
      report(token, 'any', 'any switches the compiler off: use unknown and parse');
  });
}

function opensTypeList(code: readonly Token[], index: number): boolean {
  for (let at = index - 1; at >= 0; at -= 1) {
    const text = code[at]?.text ?? '';
    if (text === '<') return true;
    if (['(', '{', ';', '['].includes(text)) return false;
  }
  return false;
}

function isTypeAlias(code: readonly Token[], index: number): boolean {
  for (let at = index - 1; at >= 0 && code[at]?.text !== ';'; at -= 1) {
    if (code[at]?.text === 'type') return true;
  }
  return false;
}

/** How far above an assertion the comment may end that justifies it: a signature and one statement between. */
const commentReach = 3;

function checkAssertions(tokens: readonly Token[], report: Report): void {
  const code = codeOf(tokens);
  const comments = tokens.filter((token) => token.kind === 'comment');
  const clauses = moduleClauses(code);
  code.forEach((token, index) => {
    if (token.kind !== 'word' || token.text !== 'as' || clauses.has(index) || !endsExpression(code[index - 1])) return;
    const target = code[index + 1];
    if (target === undefined || !startsType(target) || target.text === 'const') return;
    const isSecondStep = code[index - 1]?.text === 'unknown' && code[index - 2]?.text === 'as';
    if (isSecondStep) return;
    if (target.text === 'any') return report(token, 'assertion', '`as any` hides every error: parse instead');
    if (target.text === 'unknown' && code[index + 2]?.text === 'as') {
      return report(token, 'assertion', '`as unknown as` hides every error: parse instead');
    }
    const isExplained = comments.some(
      (comment) => comment.line <= token.line && comment.endLine >= token.line - commentReach,
    );
    if (!isExplained)
      report(token, 'assertion', '`as` only as `as const`, or in a brand whose comment says why it holds');
  });
}

/** The indexes of tokens inside `import {…} from`, `import * as x from` and `export {…}`, where `as` renames. */
function moduleClauses(code: readonly Token[]): ReadonlySet<number> {
  const inside = new Set<number>();
  code.forEach((token, start) => {
    const previous = code[start - 1]?.text;
    const next = code[start + 1]?.text === 'type' ? code[start + 2]?.text : code[start + 1]?.text;
    const isImport = token.text === 'import' && next !== '(' && next !== '.';
    const isExport = token.text === 'export' && (next === '{' || next === '*');
    if (token.kind !== 'word' || previous === '.' || (!isImport && !isExport)) return;
    for (let at = start + 1; at < code.length && code[at]?.kind !== 'string' && code[at]?.text !== ';'; at += 1) {
      inside.add(at);
      if (code[at]?.text === '}') break;
    }
  });
  return inside;
}

function endsExpression(token: Token | undefined): boolean {
  if (token === undefined) return false;
  return token.kind !== 'punctuation' || [')', ']', '}', '!', '>'].includes(token.text);
}

function startsType(token: Token): boolean {
  return token.kind !== 'punctuation' || ['{', '[', '(', '-', '<'].includes(token.text);
}

function checkDefaultExport(code: readonly Token[], report: Report): void {
  code.forEach((token, index) => {
    if (token.kind !== 'word' || token.text !== 'default') return;
    const previous = code[index - 1];
    const renames = previous?.text === 'as' && code[index - 2]?.kind === 'word' && exportsClause(code, index);
    if (previous?.text === 'export' || renames) report(token, 'default-export', 'export it by its name');
  });
}

function exportsClause(code: readonly Token[], index: number): boolean {
  for (let at = index; at >= 0 && code[at]?.text !== ';' && code[at]?.text !== '}'; at -= 1) {
    if (code[at]?.text === 'export') return true;
    if (code[at]?.text === 'import') return false;
  }
  return false;
}
