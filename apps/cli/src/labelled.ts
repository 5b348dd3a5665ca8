import { type Colour, paint, type Terminal } from './terminal.ts';
import { wrap } from './text-width.ts';

const LABEL_WIDTH = 11;
const NARROWEST = 20;

/** A label and a text beside it, in as many lines as the terminal's width asks for. */
export function labelled(
  terminal: Pick<Terminal, 'columns' | 'colours'>,
  label: string,
  text: string,
  colour?: Colour,
): string[] {
  const lines = wrap(text, Math.max(NARROWEST, terminal.columns - LABEL_WIDTH));
  return lines.map((line, i) => {
    const painted = colour === undefined ? line : paint(terminal, colour, line);
    return `${(i === 0 ? label : '').padEnd(LABEL_WIDTH)}${painted}`;
  });
}
