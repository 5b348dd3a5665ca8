/**
 * How many columns of a terminal a text takes: East Asian wide characters and emoji take two, marks that combine take none (Unicode Standard
 * Annex 11, of which these are the ranges that are wide or fullwidth).
 */
export function widthOf(text: string): number {
  if (NARROW_ONLY.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The beginning of a text that fits so many columns, with an ellipsis where something was cut. */
export function cutEnd(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return width < 1 ? '' : `${take(graphemes(text), width - 1)}…`;
}

/** Beginning and end of a text with an ellipsis between: what tells ids apart stands at both. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width < SHORTEST_WITH_END) return cutEnd(text, width);
  const end = Math.floor((width - 1) / 2);
  const all = graphemes(text);
  return `${take(all, width - 1 - end)}…${take(all.toReversed(), end, 'backwards')}`;
}

/** The lines of a text that fit so many columns, broken between words; a word that is longer has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    const longer = last === undefined ? word : `${last} ${word}`;
    if (last !== undefined && widthOf(longer) > width) lines.push(word);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

/** A text filled up with spaces to so many columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? space + text : text + space;
}

const NARROW_ONLY = /^[\x20-\x7e]*$/;
const SHORTEST_WITH_END = 8;
const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const EMOJI = /\p{Emoji_Presentation}|\uFE0F/u;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** First and last code point of every range that is wide. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];

function graphemes(text: string): string[] {
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0) ?? 0;
  return EMOJI.test(grapheme) || WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

function take(all: readonly string[], width: number, direction: 'forwards' | 'backwards' = 'forwards'): string {
  const taken: string[] = [];
  let used = 0;
  for (const grapheme of all) {
    used += graphemeWidth(grapheme);
    if (used > width) break;
    taken.push(grapheme);
  }
  return (direction === 'backwards' ? taken.toReversed() : taken).join('');
}
