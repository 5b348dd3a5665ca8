/** A text in lines of at most `width` characters, broken between words, and within a word only where it does not fit a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}

/** A decimal string with its whole part in groups of three: `20,000,000,000`. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const text = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? text : `${text}.${fraction}`;
}

/** The end of an account's name where it is long: `0x71be…5788`. */
export function shortened(name: string, most: number): string {
  return name.length > most ? `${name.slice(0, most - 5)}…${name.slice(-4)}` : name;
}

export type Column = { readonly title: string; readonly align: 'left' | 'right'; readonly optional?: boolean };

/**
 * Rows of cells as lines that fit `width`, the head first, each column as wide as it must be: where that is too much, optional columns are left out
 * from the last on, and then the widest left-aligned column is cut.
 */
export function tabulate(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const needed = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const shown = columns.map((_, i) => i);
  const total = (): number => shown.reduce((sum, i) => sum + (needed[i] ?? 0), 0) + GAP.length * (shown.length - 1);
  while (total() > width) {
    const drop = shown.findLastIndex((i) => columns[i]?.optional);
    if (drop === -1) break;
    shown.splice(drop, 1);
  }
  const left = shown.filter((i) => columns[i]?.align === 'left');
  const widest = left.toSorted((a, b) => (needed[b] ?? 0) - (needed[a] ?? 0))[0];
  if (widest !== undefined && total() > width) needed[widest] = Math.max(1, (needed[widest] ?? 0) - (total() - width));
  const format = (cells: readonly string[]): string =>
    shown.map((i) => cell(cells[i] ?? '', needed[i] ?? 0, columns[i]?.align ?? 'left')).join(GAP);
  return [columns.map(({ title }) => title), ...rows].map(format).map((line) => line.trimEnd());
}

const GAP = '  ';

function cell(text: string, width: number, align: 'left' | 'right'): string {
  if (align === 'right') return text.padStart(width);
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}
