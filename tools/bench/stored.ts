import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { fillLedger } from './fill.ts';
import { databaseBytes, settlementsIn } from './ledger-bytes.ts';
import { median } from './peers.ts';
import { printTable, type Write } from './report.ts';

/** What a store of so many settlements costs whoever starts on it and settles more. */
const storedRoundSchema = z.object({
  openMs: z.number(),
  readyMs: z.number(),
  firstMs: z.number(),
  msEach: z.number(),
  cpuMsEach: z.number(),
  memoryMb: z.number(),
});
export type StoredRound = z.infer<typeof storedRoundSchema>;
export type StoredFigures = StoredRound & {
  readonly stored: number;
  readonly bytesEach: number;
  readonly journalBytesEach: number;
  /** Settlements a second that it took to fill; null where they were there already. */
  readonly filledPerSecond: number | null;
};
export type StoredReport = {
  readonly rounds: number;
  readonly callers: number;
  readonly settlements: number;
  readonly figures: readonly StoredFigures[];
  /** The same once on the largest store with journals that know nothing, as after the loss of an organisation's disk. */
  readonly withoutJournals: StoredRound;
};

export type StoredPlan = {
  readonly stored: number;
  /** Stores are kept here and filled on where they are too small. */
  readonly data: string;
  readonly callers: number;
  readonly progress: Write;
};

type Store = {
  readonly folder: string;
  readonly figures: Omit<StoredFigures, keyof StoredRound>;
  readonly rounds: StoredRound[];
};

const SMALL = 1000;
const ROUNDS = 5;
const SETTLEMENTS = 500;
const SHOW_EVERY_MS = 10_000;

/** Fills a store of a thousand and a large one, and settles more on each in turn, every round in a process of its own. */
export async function benchStored({ stored, data, callers, progress }: StoredPlan): Promise<StoredReport> {
  const stores: Store[] = [];
  for (const count of [SMALL, stored]) {
    const folder = join(data, String(count));
    mkdirSync(join(folder, 'ledger'), { recursive: true });
    const filledPerSecond = await fill(folder, count, progress);
    const held = settlementsIn(join(folder, 'ledger'));
    const bytesEach = databaseBytes(join(folder, 'ledger')) / held;
    const journalBytesEach = databaseBytes(folder) / held;
    stores.push({ folder, figures: { stored: count, bytesEach, journalBytesEach, filledPerSecond }, rounds: [] });
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const store of stores) {
      progress(`round ${round} of ${ROUNDS} on ${store.figures.stored} stored\n`);
      store.rounds.push(await runRoundOn(store, callers));
    }
  }
  const largest = stores.at(-1);
  if (!largest) throw new Error('there is a store');
  return {
    rounds: ROUNDS,
    callers,
    settlements: SETTLEMENTS,
    figures: stores.map(({ figures, rounds }) => ({ ...figures, ...medianOf(rounds) })),
    withoutJournals: await runRound(largest.folder, callers, false),
  };
}

export function printStored(
  { rounds, callers, settlements, figures, withoutJournals }: StoredReport,
  write: Write,
): void {
  write(
    `${settlements} settlements by ${callers} callers, in process, on each store; medians of ${rounds} alternating rounds\n`,
  );
  const [small, large] = figures;
  if (!small || !large) return;
  const rows: readonly (readonly [string, number, number, number, boolean])[] = [
    ['stored settlements', small.stored, large.stored, 0, false],
    ['disk KB a settlement, ledger', small.bytesEach / 1024, large.bytesEach / 1024, 2, true],
    ['disk KB a settlement, three journals', small.journalBytesEach / 1024, large.journalBytesEach / 1024, 2, true],
    ['open the ledger, ms', small.openMs, large.openMs, 0, true],
    ['until all coordinators are ready, ms', small.readyMs, large.readyMs, 0, true],
    ['until the first settlement has settled, ms', small.firstMs, large.firstMs, 0, true],
    ['ms a settlement', small.msEach, large.msEach, 2, true],
    ['CPU ms a settlement', small.cpuMsEach, large.cpuMsEach, 2, true],
    ['memory MB', small.memoryMb, large.memoryMb, 0, true],
  ];
  printTable(
    ['', 'small', 'large', 'times'],
    rows.map(([name, a, b, digits, compared]) => [
      name,
      a.toFixed(digits),
      b.toFixed(digits),
      compared ? (b / a).toFixed(2) : '',
    ]),
    write,
  );
  for (const { stored, filledPerSecond } of figures)
    if (filledPerSecond !== null) write(`filled ${stored} at ${filledPerSecond.toFixed(0)} settlements a second\n`);
  const { readyMs, firstMs, memoryMb } = withoutJournals;
  write(
    `With empty journals the large one is ready after ${readyMs.toFixed(0)} ms, has settled the first after ${firstMs.toFixed(0)} ms and uses ${memoryMb.toFixed(0)} MB.\n`,
  );
}

async function fill(folder: string, settlements: number, progress: Write): Promise<number | null> {
  const began = performance.now();
  let shown = began;
  const made = await fillLedger({
    directory: join(folder, 'ledger'),
    settlements,
    journalOf: (organisation) => join(folder, `${organisation}.journal`),
    progress: (done) => {
      if (performance.now() - shown < SHOW_EVERY_MS) return;
      shown = performance.now();
      progress(`filled ${done} of ${settlements}\n`);
    },
  });
  return made === 0 ? null : (made * 1000) / (performance.now() - began);
}

/** What a round adds is nothing to a large store, and much to a small one, which it therefore gets a copy of. */
async function runRoundOn({ folder, figures }: Store, callers: number): Promise<StoredRound> {
  if (figures.stored > SMALL) return runRound(folder, callers, true);
  const copy = mkdtempSync(join(tmpdir(), 'linkspan-stored-'));
  try {
    cpSync(folder, copy, { recursive: true });
    return await runRound(copy, callers, true);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

async function runRound(folder: string, callers: number, withJournals: boolean): Promise<StoredRound> {
  const script = join(import.meta.dirname, 'stored-round.ts');
  const args = [script, folder, String(callers), String(SETTLEMENTS), withJournals ? 'journals' : 'no-journals'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return storedRoundSchema.parse(JSON.parse(stdout));
}

function medianOf(rounds: readonly StoredRound[]): StoredRound {
  const of = (value: (round: StoredRound) => number): number => median(rounds.map(value));
  return {
    openMs: of((round) => round.openMs),
    readyMs: of((round) => round.readyMs),
    firstMs: of((round) => round.firstMs),
    msEach: of((round) => round.msEach),
    cpuMsEach: of((round) => round.cpuMsEach),
    memoryMb: of((round) => round.memoryMb),
  };
}
