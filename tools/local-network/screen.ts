import type { ChangeLine } from './api.ts';
import type { Positions } from './positions.ts';
import type { SampleResult } from './run-sample.ts';

const COLOURS = { bold: '1', dim: '2', green: '32', red: '31', yellow: '33', cyan: '36' } as const;

/** What the person at the terminal sees. Colours only where they can be seen. */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #coloured: boolean;

  constructor(write: (text: string) => void, coloured: boolean) {
    this.#write = write;
    this.#coloured = coloured;
  }

  line(text = ''): void {
    this.#write(`${text}\n`);
  }

  title(text: string): void {
    this.line();
    this.line(this.#paint('bold', text));
  }

  change({ time, tradeId, words }: ChangeLine): void {
    for (const word of words) {
      const colour = word.startsWith('settled') ? 'green' : /cancelled|rejected|refused|dead|differ/.test(word) ? 'yellow' : undefined;
      this.line(`  ${this.#paint('dim', clock(time))}  ${this.#paint('cyan', shortTrade(tradeId).padEnd(18))}  ${colour ? this.#paint(colour, word) : word}`);
    }
  }

  note(text: string): void {
    this.line(`  ${this.#paint('dim', clock(new Date().toISOString()))}  ${this.#paint('yellow', text)}`);
  }

  result(result: SampleResult, title: string): void {
    const mark = result.asExpected ? this.#paint('green', 'as expected') : this.#paint('red', 'NOT AS EXPECTED');
    this.line(`  ${this.#paint('bold', result.sample)}: ${result.status}, ${mark}, ${result.durationMs} ms. ${this.#paint('dim', title)}`);
    for (const wrong of result.notAsExpected) this.line(`    ${this.#paint('red', wrong)}`);
  }

  /** Positions before and after, those that moved in bold. */
  balances(before: Positions, after: Positions): void {
    const rows = [...after.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, position]) => {
      const was = before.get(name)?.balance ?? '';
      return { moved: was !== position.balance, cells: [systemOf(position.account), position.party, shortAccount(position.account), position.asset, grouped(was), grouped(position.balance), grouped(position.held)] };
    });
    const head = ['system', 'party', 'account', 'asset', 'before', 'after', 'held'];
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row.cells[i]?.length ?? 0)));
    const format = (cells: readonly string[]): string => cells.map((cell, i) => (i >= 4 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
    this.line(`  ${this.#paint('dim', format(head))}`);
    for (const { moved, cells } of rows) this.line(`  ${moved ? this.#paint('bold', format(cells)) : format(cells)}`);
  }

  summary(results: readonly SampleResult[]): void {
    const good = results.filter((result) => result.asExpected).length;
    this.title(`${good} of ${results.length} samples ended as their files say`);
    for (const result of results) {
      const mark = result.asExpected ? this.#paint('green', '✓') : this.#paint('red', '✗');
      this.line(`  ${mark} ${result.sample.padEnd(20)} ${result.status.padEnd(10)} ${String(result.durationMs).padStart(6)} ms`);
    }
  }

  #paint(colour: keyof typeof COLOURS, text: string): string {
    return this.#coloured ? `\u001B[${COLOURS[colour]}m${text}\u001B[0m` : text;
  }
}

function clock(instant: string): string {
  return instant.slice(11, 23);
}

/** Without the run, which all samples of one start share. */
function shortTrade(tradeId: string): string {
  return tradeId.replace(/^[0-9a-z]+-/, '').slice(0, 18);
}

function systemOf(account: string): string {
  return account.slice(0, account.indexOf(':'));
}

function shortAccount(account: string): string {
  const name = account.slice(account.indexOf(':') + 1);
  return name.length > 16 ? `${name.slice(0, 8)}…${name.slice(-4)}` : name;
}

function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const text = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
  return fraction === undefined ? text : `${text}.${fraction}`;
}
