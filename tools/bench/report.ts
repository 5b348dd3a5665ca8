/** One row of the benchmark: many settlements by so many callers at once, each waiting for its own to end. */
export type Round = {
  readonly network: 'in-process' | 'local-network';
  readonly callers: number;
  readonly settlements: number;
  readonly seconds: number;
  readonly latenciesMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly ledgerTransactions: number;
  readonly ledgerBytes: number;
  /** Seconds of processor time and megabytes at the end, by process. */
  readonly processes: readonly { readonly name: string; readonly cpuSeconds: number; readonly memoryMb: number }[];
};

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
};

export function quantiles(latenciesMs: readonly number[]): Round['latenciesMs'] {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export function printReport(machine: Machine, rounds: readonly Round[], write: (text: string) => void): void {
  write(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, kernel ${machine.kernel}, Node ${machine.node}\n\n`,
  );
  const head = [
    'network',
    'callers',
    'settled',
    'per second',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'ledger tx each',
    'ledger KB each',
    'CPU ms each',
  ];
  const rows = rounds.map((round) => [
    round.network,
    String(round.callers),
    String(round.settlements),
    (round.settlements / round.seconds).toFixed(1),
    String(round.latenciesMs.p50),
    String(round.latenciesMs.p95),
    String(round.latenciesMs.p99),
    (round.ledgerTransactions / round.settlements).toFixed(2),
    (round.ledgerBytes / 1024 / round.settlements).toFixed(1),
    ((round.processes.reduce((sum, each) => sum + each.cpuSeconds, 0) * 1000) / round.settlements).toFixed(1),
  ]);
  table(head, rows, write);
  for (const each of rounds.filter(({ network }) => network === 'local-network')) {
    write(`\nlocal-network, ${each.callers} callers, by process\n`);
    table(
      ['process', 'CPU ms each', 'memory MB'],
      each.processes.map(({ name, cpuSeconds, memoryMb }) => [
        name,
        ((cpuSeconds * 1000) / each.settlements).toFixed(2),
        memoryMb.toFixed(0),
      ]),
      write,
    );
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[], write: (text: string) => void): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  write(`${line(head)}\n`);
  for (const row of rows) write(`${line(row)}\n`);
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
