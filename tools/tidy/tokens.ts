/** One lexical element. `text` of a string or template chunk is what stands between the quotes, unescaped. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation' | 'comment';
  readonly text: string;
  /** Line on which the token begins, from 1. */
  readonly line: number;
  /** Line on which it ends. */
  readonly endLine: number;
}

/**
 * Splits TypeScript into tokens, so that rules see words only where they are code.
 * It knows comments, strings, nested templates and regular expressions (ECMA-262, section 12), and nothing of grammar.
 * Text that is not TypeScript never makes it fail: an unclosed literal ends at its line or at the end of the text.
 */
export function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const braces: ('block' | 'template')[] = [];
  let index = 0;
  let line = 1;

  const push = (kind: Token['kind'], end: number, text: string): void => {
    const endLine = line + countLines(source, index, end);
    tokens.push({ kind, text, line, endLine });
    index = end;
    line = endLine;
  };
  const pushTemplateChunk = (): void => {
    const chunk = templateChunk(source, index + 1);
    if (chunk.opensExpression) braces.push('template');
    push('template', chunk.end, source.slice(index + 1, chunk.textEnd));
  };

  while (index < source.length) {
    const space = match(/\s+/y, source, index);
    if (space !== '') {
      line += countLines(source, index, index + space.length);
      index += space.length;
      continue;
    }
    const comment =
      match(/\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y, source, index) || (index === 0 && match(/#![^\n]*/y, source, 0));
    const word = match(/[#@]?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy, source, index);
    const number = match(/\.?\d(?:[\w.]|(?<=[eE])[+-])*/y, source, index);
    const string = match(/'(?:[^'\\\n]|\\[\s\S])*(?:'|(?=\n)|$)|"(?:[^"\\\n]|\\[\s\S])*(?:"|(?=\n)|$)/y, source, index);
    const regex = startsRegex(tokens)
      ? match(/\/(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/\w*/y, source, index)
      : '';
    const character = source.charAt(index);
    if (comment) push('comment', index + comment.length, comment);
    else if (word !== '') push('word', index + word.length, word);
    else if (number !== '') push('number', index + number.length, number);
    else if (string !== '') push('string', index + string.length, string.slice(1).replace(/['"]$/, ''));
    else if (character === '`' || (character === '}' && braces.pop() === 'template')) pushTemplateChunk();
    else if (regex !== '') push('regex', index + regex.length, regex);
    else {
      if (character === '{') braces.push('block');
      const sign = match(/=>|\?\.(?!\d)|\.\.\./y, source, index) || character;
      push('punctuation', index + sign.length, sign);
    }
  }
  return tokens;
}

/** The tokens without comments: what rules about code look at. */
export function codeOf(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter((token) => token.kind !== 'comment');
}

const wordsBeforeExpression = new Set(
  'return typeof case in of delete void throw new else do await yield instanceof extends'.split(' '),
);

// A slash begins a regular expression where a value may begin, and divides where a value has just ended.
function startsRegex(tokens: readonly Token[]): boolean {
  const last = tokens.findLast((token) => token.kind !== 'comment');
  if (last === undefined) return true;
  if (last.kind === 'word') return wordsBeforeExpression.has(last.text);
  return last.kind === 'punctuation' && ![')', ']', '}'].includes(last.text);
}

function templateChunk(source: string, start: number): { end: number; textEnd: number; opensExpression: boolean } {
  for (let at = start; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '`') return { end: at + 1, textEnd: at, opensExpression: false };
    else if (character === '$' && source.charAt(at + 1) === '{')
      return { end: at + 2, textEnd: at, opensExpression: true };
  }
  return { end: source.length, textEnd: source.length, opensExpression: false };
}

function match(pattern: RegExp, source: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0] ?? '';
}

function countLines(source: string, start: number, end: number): number {
  let count = 0;
  for (let at = source.indexOf('\n', start); at !== -1 && at < end; at = source.indexOf('\n', at + 1)) count += 1;
  return count;
}
