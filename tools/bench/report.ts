import type { TimeTable } from './profile.ts';

/** Signatures that were made, by what they sign, each over a whole batch; and the checks that no memo answered. */
export type Signatures = {
  readonly calls: number;
  readonly statements: number;
  readonly shares: number;
  readonly verified: number;
};

/** One row of the benchmark: many settlements by so many callers at once, each waiting for its own to end. */
export type Round = {
  readonly network: string;
  readonly callers: number;
  readonly settlements: number;
  readonly seconds: number;
  readonly latenciesMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly ledgerTransactions: number;
  readonly ledgerBytes: number;
  /** Undefined where they are made in processes that do not count them. */
  readonly signatures: Signatures | undefined;
  /** Seconds of processor time and megabytes at the end, by process. */
  readonly processes: readonly { readonly name: string; readonly cpuSeconds: number; readonly memoryMb: number }[];
};

export type Profile = {
  readonly network: Round['network'];
  readonly callers: number;
  readonly processes: ReadonlyMap<string, TimeTable>;
};

export type Write = (text: string) => void;

export function quantiles(latenciesMs: readonly number[]): Round['latenciesMs'] {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export function printRounds(rounds: readonly Round[], write: Write): void {
  const head = [
    'network',
    'callers',
    'settled',
    'per second',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'CPU ms',
    'ledger tx',
    'disk KB',
    'call sig.',
    'statement sig.',
    'certificate sig.',
    'verified',
  ];
  const rows = rounds.map((each) => {
    const per = (sum: number, digits = 2): string => (sum / each.settlements).toFixed(digits);
    const { calls, statements, shares, verified } = each.signatures ?? {};
    const signed = (sum: number | undefined, digits = 2): string => (sum === undefined ? '' : per(sum, digits));
    return [
      each.network,
      String(each.callers),
      String(each.settlements),
      (each.settlements / each.seconds).toFixed(1),
      String(each.latenciesMs.p50),
      String(each.latenciesMs.p95),
      String(each.latenciesMs.p99),
      per(each.processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 1000),
      per(each.ledgerTransactions),
      per(each.ledgerBytes / 1024, 1),
      signed(calls),
      signed(statements),
      signed(shares),
      signed(verified),
    ];
  });
  write('From CPU on: for each settlement. Signatures are those that were made, each over all that waited for it.\n');
  printTable(head, rows, write);
  for (const each of rounds) {
    write(`\n${each.network}, ${each.callers} callers, by process\n`);
    const processes = each.processes.map(({ name, cpuSeconds, memoryMb }) => [
      name,
      ((cpuSeconds * 1000) / each.settlements).toFixed(2),
      memoryMb.toFixed(0),
    ]);
    printTable(['process', 'CPU ms each', 'memory MB'], processes, write);
  }
}

export function printProfile({ network, callers, processes }: Profile, write: Write): void {
  write(
    `\nWhere the time goes: ${network}, ${callers} callers, sampled in a round of its own; share of busy time by self time\n`,
  );
  for (const [name, { parts, functions }] of processes) {
    write(`\n${name}\n`);
    const rows = parts.map((part, i) => {
      const other = functions[i];
      return [part.name, percent(part.share), '', other?.name ?? '', other ? percent(other.share) : ''];
    });
    printTable(['part', 'share', '', 'function', 'share'], rows, write);
  }
}

export function printTable(head: readonly string[], rows: readonly (readonly string[])[], write: Write): void {
  const isText = head.map((_, i) => rows.every((row) => !/^-?[0-9.,]+( %)?$/.test(row[i] ?? '')));
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (isText[i] ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  write(`${line(head).trimEnd()}\n`);
  for (const row of rows) write(`${line(row).trimEnd()}\n`);
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
