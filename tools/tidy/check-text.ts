import { isScript, lineAt, type Finding, type Tree } from './tree.ts';

/** Rules about files of every kind: names, length, words, and what belongs to one machine only. */
export function checkTexts(tree: Tree): readonly Finding[] {
  return [...tree].flatMap(([file, text]) => [
    ...checkName(file),
    ...checkLength(file, text),
    ...patterns.flatMap((pattern) => checkPattern(pattern, file, text)),
  ]);
}

const maxLines = 450;

interface Pattern {
  readonly rule: string;
  readonly expression: RegExp;
  readonly message: string;
  readonly files?: RegExp;
}

const patterns: readonly Pattern[] = [
  { rule: 'word', expression: /\b(TODO|FIXME)\b/g, message: 'do it or write it down in docs/decisions' },
  {
    rule: 'machine-path',
    expression: /(?<![\w.}):-])\/(home|root|work)\//g,
    message: 'a path of one machine means nothing on another',
  },
  {
    rule: 'registry',
    expression:
      /\b(registry\.[a-z\d.-]+\.(org|com|net|io|dev|cn)|npm\.(pkg\.github\.com|jsr\.io)|[a-z\d-]+\.jfrog\.io|proxy\.golang\.org)\b/g,
    message: 'which registry is used is the business of the machine that installs',
  },
  {
    rule: 'registry',
    expression: /"resolved":\s*"https?:/g,
    message: 'the lock file names a registry: install with omit-lockfile-registry-resolved',
    files: /(^|\/)package-lock\.json$/,
  },
  {
    rule: 'registry',
    expression: /^\s*(@[\w-]+:)?registry\s*=/gm,
    message: 'which registry is used is the business of the machine that installs',
    files: /(^|\/)\.npmrc$/,
  },
];

// These files must write the words that they forbid.
const ownFiles = /^tools\/(tidy\/check-text(\.test)?\.ts|tidy(\.test)?\.ts)$/;

function checkPattern(pattern: Pattern, file: string, text: string): readonly Finding[] {
  if (ownFiles.test(file) || pattern.files?.test(file) === false) return [];
  return [...text.matchAll(pattern.expression)].map((found) => {
    return {
      file,
      line: lineAt(text, found.index),
      rule: pattern.rule,
      message: `${found[0].trim()}: ${pattern.message}`,
    };
  });
}

function checkLength(file: string, text: string): readonly Finding[] {
  const isGenerated = /\.(json|jsonl|block)$|(^|\/)go\.sum$|^docs\/reference\/|\/(compiled|generated)\//.test(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (isGenerated || lines <= maxLines) return [];
  return [
    { file, line: maxLines + 1, rule: 'length', message: `${lines} lines, at most ${maxLines}: split it by subject` },
  ];
}

const kebab = /^[a-z\d]+(-[a-z\d]+)*(\.[a-z\d]+(-[a-z\d]+)*)*$/;
// Names that other tools or readers expect: README.md, LICENSE, dot files, Dockerfile, and Solidity after its contract.
const customary = /^(\..+|[A-Z]+(\.md)?|Dockerfile|[A-Z][A-Za-z\d]*\.sol)$/;

function checkName(file: string): readonly Finding[] {
  const wrong = file.split('/').find((part) => !kebab.test(part) && !(customary.test(part) && !isScript(part)));
  if (wrong === undefined) return [];
  return [{ file, line: 1, rule: 'file-name', message: `${wrong} is not in kebab-case` }];
}
