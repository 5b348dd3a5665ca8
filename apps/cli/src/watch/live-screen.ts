import type { LiveTerminal } from '../terminal.ts';

/** How often a screen is drawn at most: fast enough to follow, slow enough to read. */
const FRAME_MS = 120;
/** Deadlines count down. */
const TICK_MS = 1_000;

const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';

/** A full screen that is drawn again in place when something changed; disposing gives the terminal back as it was. */
export class LiveScreen implements Disposable {
  readonly #terminal: LiveTerminal;
  readonly #draw: (size: { readonly columns: number; readonly rows: number }) => readonly string[];
  readonly #stopResize: () => void;
  readonly #ticker: NodeJS.Timeout;
  #drawn: readonly string[] = [];
  #next: NodeJS.Timeout | undefined;
  #drawnAt = -FRAME_MS;

  constructor(
    terminal: LiveTerminal,
    draw: (size: { readonly columns: number; readonly rows: number }) => readonly string[],
  ) {
    this.#terminal = terminal;
    this.#draw = draw;
    terminal.write(ENTER);
    this.#stopResize = terminal.onResize(() => {
      this.#drawn = [];
      this.changed();
    });
    this.#ticker = setInterval(() => this.changed(), TICK_MS);
    this.changed();
  }

  /** Something changed: it is drawn soon, together with what changes until then. */
  changed(): void {
    if (this.#next) return;
    const waitMs = Math.max(0, this.#drawnAt + FRAME_MS - performance.now());
    this.#next = setTimeout(() => {
      this.#next = undefined;
      this.#paint();
    }, waitMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#next);
    clearInterval(this.#ticker);
    this.#stopResize();
    this.#terminal.write(LEAVE);
  }

  /** Only lines that are other than before are written, so that nothing flickers. */
  #paint(): void {
    this.#drawnAt = performance.now();
    const lines = this.#draw(this.#terminal.size());
    const isFirst = this.#drawn.length === 0;
    const changed = lines.flatMap((line, i) =>
      isFirst || line !== this.#drawn[i] ? [`\u001B[${i + 1};1H${line}\u001B[0m\u001B[K`] : [],
    );
    if (changed.length > 0) this.#terminal.write((isFirst ? '\u001B[2J' : '') + changed.join(''));
    this.#drawn = lines;
  }
}
