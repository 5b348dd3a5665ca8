import { styleText } from 'node:util';

/** Where results and messages go. Results go to `out` alone, so that they can be piped. */
export type Terminal = {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  /** Characters per line; Infinity where nobody looks. */
  readonly columns: number;
  readonly colours: boolean;
  /** The terminal itself, to draw on; undefined where results go elsewhere. */
  readonly live?: LiveTerminal | undefined;
  /** A line on standard error that is written over, for progress; undefined where nobody looks. */
  readonly progress?: ((line: string) => void) | undefined;
};

/** A terminal whose cells can be written one by one. */
export type LiveTerminal = {
  write(text: string): void;
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back whenever its size changes; what it gives stops that. */
  onResize(changed: () => void): () => void;
};

export type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export function paint(terminal: Pick<Terminal, 'colours'>, colour: Colour, text: string): string {
  return terminal.colours ? styleText(colour, text, { validateStream: false }) : text;
}

/** Others' text without anything that could steer the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/\p{C}|[\u2028\u2029]/gu, '\uFFFD');
}

/** A decimal number with commas between thousands; other text as it is. */
export function grouped(amount: string): string {
  const [, sign, whole, fraction] = /^(-?)([0-9]+)(\.[0-9]+)?$/.exec(amount) ?? [];
  if (whole === undefined) return amount;
  return `${sign}${whole.replaceAll(/\B(?=(?:[0-9]{3})+$)/g, ',')}${fraction ?? ''}`;
}

/** The first 12 digits of a hash, enough to tell two apart and to ask for one; what is no hash as it is. */
export function shortId(id: string): string {
  return id.replace(/^(?:sha256:|(0x))([0-9a-f]{12})[0-9a-f]{20,}$/, '$1$2');
}

/** `2026-11-24 06:00:00` of an instant in UTC. */
export function shortTime(instant: string): string {
  return instant.replace('T', ' ').replace(/\.[0-9]+Z$|Z$/, '');
}
