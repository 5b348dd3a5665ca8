import type { ChangeLine, ProblemLine } from './api.ts';
import { differencesBetween, type Positions } from './positions.ts';
import type { SampleOutcome } from './run-sample.ts';
import { type Column, grouped, shortened, tabulate, wrap } from './text-layout.ts';

export type ScreenOptions = {
  readonly write: (text: string) => void;
  /** How many characters fit a line now; Infinity where nobody counts, as in a file. */
  readonly columns: () => number;
  readonly coloured: boolean;
  /** Names of organisations by their ids. */
  readonly names: ReadonlyMap<string, string>;
  /** The longest label of a settlement that is to come. */
  readonly labelWidth: number;
};

const COLOURS = { bold: '1', dim: '2', green: '32', red: '31', yellow: '33', cyan: '36' } as const;
type Colour = keyof typeof COLOURS;

/** What the person at the terminal sees: one line per change, and what came of it. Colours only where they can be seen. */
export class Screen {
  readonly #options: ScreenOptions;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  line(text = ''): void {
    this.#options.write(`${text}\n`);
  }

  title(text: string): void {
    this.line();
    for (const line of wrap(text, this.#width(0))) this.line(this.#paint('bold', line));
  }

  /** Text under a title. */
  text(text: string, colour?: Colour): void {
    this.#block('  ', text, '  ', colour);
  }

  change({ time, tradeId, words, changes }: ChangeLine): void {
    words.forEach((word, i) => {
      const change = changes[i];
      if (change?.what === 'differs' && change.differences)
        return this.#differences(time, labelOf(tradeId), change.differences);
      this.#event(time, labelOf(tradeId), word, colourOf(word));
    });
  }

  /** Something that happens to the local network, not on its ledger. */
  note(text: string): void {
    this.#event(new Date().toISOString(), '', text, 'yellow');
  }

  /** An instruction that was refused: every problem with its place, its ISO 20022 reason and its message. */
  refused(label: string, organisation: string, problems: readonly ProblemLine[]): void {
    const many = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
    this.#event(
      new Date().toISOString(),
      label,
      `${this.#name(organisation)} refused the instruction, which has ${many}:`,
      'yellow',
    );
    const [places, codes] = [problems.map(({ pointer }) => pointer), problems.map(({ iso }) => iso ?? '')];
    const [place, code] = [widest(places), widest(codes)];
    problems.forEach(({ pointer, iso, message }) =>
      this.#block(`    ${pointer.padEnd(place)}  ${(iso ?? '').padEnd(code)}  `, message),
    );
  }

  outcome({ result, notAsExpected, end }: SampleOutcome): void {
    const took = `${result.status} after ${duration(result.durationMs)}`;
    if (result.asExpected) this.#block('  ✓ ', `${took}, as expected. ${end}`.trimEnd(), '    ', 'green');
    else this.#block('  ✗ ', `${took}, NOT as expected:`, '    ', 'red');
    for (const wrong of notAsExpected) this.#block('    - ', wrong, '      ', 'red');
  }

  /** Positions before and after by system, those that moved in bold. Accounts that are and stay empty are counted only. */
  balances(before: Positions, after: Positions): void {
    const moved = new Map(
      differencesBetween(before, after).map(({ account, asset, by }) => [`${account} ${asset}`, by]),
    );
    const filled = [...after].filter(
      ([name, { balance, held }]) => moved.has(name) || !isZero(balance) || !isZero(held),
    );
    const held = filled.some(([, position]) => !isZero(position.held));
    const rows = filled
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, position]) => {
        const [was, by] = [before.get(name)?.balance ?? '0', moved.get(name)];
        const change = by === undefined ? '' : grouped(by.startsWith('-') ? by : `+${by}`);
        const cells = [
          position.party,
          shortAccount(position.account),
          position.asset,
          grouped(was),
          grouped(position.balance),
          change,
        ];
        return {
          system: systemOf(position.account),
          moved: by !== undefined,
          cells: held ? [...cells, grouped(position.held)] : cells,
        };
      });
    const columns = held ? [...COLUMNS, { title: 'held', align: 'right', optional: true } as const] : COLUMNS;
    const [head = '', ...lines] = tabulate(
      columns,
      rows.map(({ cells }) => cells),
      this.#width(4),
    );
    this.line(`    ${this.#paint('dim', head)}`);
    rows.forEach(({ system, moved: hasMoved }, i) => {
      if (system !== rows[i - 1]?.system) this.line(`  ${this.#paint('cyan', system)}`);
      this.line(`    ${hasMoved ? this.#paint('bold', lines[i] ?? '') : lines[i]}`);
    });
    const empty = after.size - filled.length;
    this.text(
      `${empty > 0 ? `${empty} more positions are empty. ` : ''}${held ? '' : 'Nothing is held.'}`.trimEnd(),
      'dim',
    );
  }

  /** A table under a title, with a colour for rows that matter. */
  table(
    columns: readonly Column[],
    rows: readonly { readonly cells: readonly string[]; readonly colour: Colour | undefined }[],
  ): void {
    const texts = rows.map(({ cells }) => cells);
    const [head = '', ...lines] = tabulate(columns, texts, this.#width(4));
    this.line(`    ${this.#paint('dim', head)}`);
    rows.forEach(({ colour }, i) => this.line(`    ${this.#paint(colour, lines[i] ?? '')}`));
  }

  /** The samples at a glance, by the ids under which their trades are found again. */
  summary(outcomes: readonly SampleOutcome[]): void {
    const good = outcomes.filter(({ result }) => result.asExpected).length;
    this.title(`${good} of ${outcomes.length} samples ended as expected`);
    const rows = outcomes.map(({ result: { sample, tradeId, status, durationMs } }) => {
      // What was refused is not on the ledger, under no id.
      return [status === 'refused' ? '-' : tradeId, status, duration(durationMs), sample];
    });
    const [head = '', ...lines] = tabulate(SUMMARY, rows, this.#width(4));
    this.line(`    ${this.#paint('dim', head)}`);
    outcomes.forEach(({ result }, i) => {
      this.line(`  ${result.asExpected ? this.#paint('green', '✓') : this.#paint('red', '✗')} ${lines[i]}`);
    });
  }

  #differences(time: string, label: string, differences: readonly Difference[]): void {
    this.#event(
      time,
      label,
      `the sides differ in ${differences.length === 1 ? 'one field' : `${differences.length} fields`}:`,
      'yellow',
    );
    const place = widest(differences.map(({ path }) => path));
    for (const { path, values } of differences) {
      const sides = Object.entries(values).map(
        ([id, value]) => `${this.#name(id)} ${value === '' ? 'has none' : value}`,
      );
      this.#block(`    ${path.padEnd(place)}  `, sides.join(', '));
    }
  }

  #event(time: string, label: string, text: string, colour?: Colour): void {
    const padded = label.slice(0, this.#options.labelWidth).padEnd(this.#options.labelWidth);
    const head = `  ${this.#paint('dim', clock(time))}  ${this.#paint('cyan', padded)}  `;
    const indent = ' '.repeat(clock(time).length + padded.length + 6);
    this.#block(head, text, indent, colour);
  }

  /** A text behind a head, wrapped so that its further lines begin where it does. */
  #block(head: string, text: string, indent = ' '.repeat(head.length), colour?: Colour): void {
    wrap(text, this.#width(indent.length)).forEach((line, i) =>
      this.line((i === 0 ? head : indent) + this.#paint(colour, line)),
    );
  }

  #width(used: number): number {
    return Math.max(NARROWEST, this.#options.columns() - used);
  }

  #name(organisation: string): string {
    return this.#options.names.get(organisation) ?? organisation;
  }

  #paint(colour: Colour | undefined, text: string): string {
    return this.#options.coloured && colour !== undefined ? `\u001B[${COLOURS[colour]}m${text}\u001B[0m` : text;
  }
}

type Difference = { readonly path: string; readonly values: Readonly<Record<string, string>> };

const NARROWEST = 20;
const COLUMNS = [
  { title: 'party', align: 'left' },
  { title: 'account', align: 'left' },
  { title: 'asset', align: 'left' },
  { title: 'before', align: 'right' },
  { title: 'after', align: 'right' },
  { title: 'change', align: 'right', optional: true },
] as const;
const SUMMARY = [
  { title: 'trade id', align: 'left' },
  { title: 'ended', align: 'left' },
  { title: 'after', align: 'right' },
  { title: 'sample', align: 'left', optional: true },
] as const;

function colourOf(word: string): Colour | undefined {
  if (word === 'now settled') return 'green';
  return /^now (cancelled|rejected)|cannot happen|^decided: abort|^attention|^left open|not as agreed/.test(word)
    ? 'yellow'
    : undefined;
}

function clock(instant: string): string {
  return instant.slice(11, 23);
}

/** A trade id without the run, which all samples of one start share. */
export function labelOf(tradeId: string): string {
  return tradeId.replace(/^[0-9a-z]+-/, '');
}

function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function isZero(amount: string): boolean {
  return /^0*(\.0*)?$/.test(amount);
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function systemOf(account: string): string {
  return account.slice(0, account.indexOf(':'));
}

function shortAccount(account: string): string {
  return shortened(account.slice(account.indexOf(':') + 1), 11);
}
