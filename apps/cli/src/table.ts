import { paint, plain, type Colour, type Terminal } from './terminal.ts';
import { cutEnd, cutMiddle, pad, widthOf } from './text-width.ts';

export type Column = {
  readonly title: string;
  readonly align?: 'right';
  /** May be cut when the line is too long for the terminal: at its end, or an id in its middle. Amounts never are. */
  readonly cut?: true | 'middle';
};

/** A cell's text, with a colour where it means something. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

const GAP = '  ';
const NARROWEST = 6;

/** The lines of a table, fitted to the terminal: numbers to the right, long texts cut with an ellipsis, the widest first. */
export function table(
  terminal: Pick<Terminal, 'columns' | 'colours'>,
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
): string[] {
  const texts = rows.map((row) => columns.map((_, i) => plain(textOf(row[i] ?? ''))));
  const natural = columns.map(({ title }, i) => Math.max(title.length, ...texts.map((row) => widthOf(row[i] ?? ''))));
  const widths = fitted(natural, columns, terminal.columns);
  const line = (cells: readonly string[], colourOf: (i: number) => Colour | undefined): string =>
    columns
      .map((column, i) => {
        const text = padded(cells[i] ?? '', widths[i] ?? 0, column);
        const colour = colourOf(i);
        return colour === undefined ? text : paint(terminal, colour, text);
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map(({ title }) => title),
    () => 'dim',
  );
  return [head, ...texts.map((row, y) => line(row, (i) => colourIn(rows[y]?.[i])))];
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function colourIn(cell: Cell | undefined): Colour | undefined {
  return typeof cell === 'object' ? cell.colour : undefined;
}

/** Takes from the widest column that may be cut, until the line fits or nothing can be taken. */
function fitted(natural: readonly number[], columns: readonly Column[], available: number): number[] {
  const widths = [...natural];
  for (let over = total(widths) - available; over > 0; over -= 1) {
    const candidates = widths.flatMap((width, i) => (columns[i]?.cut && width > NARROWEST ? [i] : []));
    const widest = candidates.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

function padded(text: string, width: number, { align, cut }: Column): string {
  return pad(cut === 'middle' ? cutMiddle(text, width) : cutEnd(text, width), width, align);
}
