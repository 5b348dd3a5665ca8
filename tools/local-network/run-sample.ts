import { ENDS, type SettlementBody } from '@linkspan/protocol';
import type { Api, ProblemBody } from './api.ts';
import type { Changes } from './changes.ts';
import { lost, readTotals, type Sources } from './conservation.ts';
import { type Domestic, type DomesticAccess, openDomestic } from './domestic.ts';
import { differencesBetween, type Positions, readPositions } from './positions.ts';
import type { Fault, Sample } from './samples.ts';

/** What became of a sample, as `--json` prints it. */
export type SampleResult = {
  readonly sample: string;
  readonly tradeId: string;
  readonly scenario: string;
  readonly status: string;
  readonly residuals: readonly string[];
  readonly expected: string;
  readonly asExpected: boolean;
  readonly durationMs: number;
};

/** A result with what people want to know besides: why it is not as expected, what the scenario says of this end, why it was refused and by whom. */
export type SampleOutcome = {
  readonly result: SampleResult;
  readonly notAsExpected: readonly string[];
  readonly end: string;
};

/** Takes processes down and brings them back, by the names that samples use. */
export type ProcessControl = { kill(name: string): Promise<unknown>; start(name: string): Promise<unknown> };

export type Stage = {
  readonly first: Api;
  readonly other: Api;
  readonly all: readonly Api[];
  readonly changes: Changes;
  readonly processes: ProcessControl;
  readonly sources: Sources;
  readonly domestic: DomesticAccess;
  readonly say: (line: string) => void;
  readonly refused: (sample: string, api: Api, problem: ProblemBody) => void;
};

/** More than the longest deadline of a sample, after which everything ends by itself. */
const PATIENCE_MS = 90_000;

export async function runSample(stage: Stage, sample: Sample, run: string): Promise<SampleOutcome> {
  const tradeId = String(sample.instruction['tradeId']);
  const scenario = String(sample.instruction['scenario']);
  const totalsBefore = await readTotals(stage.sources);
  const before = await readPositions(stage.all);
  const began = performance.now();
  const domestic = openDomestic(sample.domestic, stage.domestic, stage.changes, stage.say);
  const { status, settlement, refused } = await play(stage, sample, domestic, tradeId, `${run} ${sample.name}`);
  const durationMs = Math.round(performance.now() - began);
  const after = await readPositions(stage.all);
  const residuals = settlement?.residuals.map((each) => each.residual) ?? [];
  const notAsExpected = [
    ...judge(sample, status, settlement, refused),
    ...judgePositions(sample, before, after),
    ...lost(totalsBefore, await readTotals(stage.sources)).map((line) => `not conserved: ${line}`),
  ];
  for (const { words } of settlement?.residuals ?? []) stage.say(`left open: ${words}`);
  await domestic.end();
  const asExpected = notAsExpected.length === 0;
  const result = {
    sample: sample.name,
    tradeId,
    scenario,
    status,
    residuals,
    expected: sample.expected.status,
    asExpected,
    durationMs,
  };
  return { result, notAsExpected, end: settlement?.end ?? '' };
}

type Played = { readonly status: string; readonly settlement?: SettlementBody; readonly refused?: ProblemBody };

/** Both sides lodge; the faults happen at their moments; then the end is awaited. However that goes, every process is back afterwards. */
async function play(stage: Stage, sample: Sample, domestic: Domestic, tradeId: string, key: string): Promise<Played> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const faults = sample.faults.map((fault) => playFault(stage, fault, tradeId, signal));
  try {
    await Promise.all(faults.map((fault) => fault.stopped));
    await domestic.begin();
    const { first, other } = stage;
    const lodged = await first.lodge(sample.instruction, `${key} first`, signal);
    if ('refused' in lodged) return refuse(stage, sample, first, lodged.refused);
    const counterpart = await other.lodge(sample.otherSide, `${key} other`, signal);
    if ('refused' in counterpart) return refuse(stage, sample, other, counterpart.refused);
    const followed = domestic.follow(tradeId, signal);
    await Promise.all([stage.changes.reaches(tradeId, ENDS, signal), followed]);
    over.abort();
    await Promise.all(faults.map((fault) => fault.over));
    const settlement = await first.settlement(lodged.lodged.proposal);
    return { status: settlement.phase, settlement };
  } finally {
    over.abort();
    await Promise.all(faults.map((fault) => fault.over));
  }
}

function refuse(stage: Stage, sample: Sample, by: Api, refused: ProblemBody): Played {
  stage.refused(sample.name, by, refused);
  return { status: 'refused', refused };
}

/** Takes a process down and brings it back. A fault before lodging has struck when `stopped` resolves. */
function playFault(
  { changes, processes, say }: Stage,
  fault: Fault,
  tradeId: string,
  signal: AbortSignal,
): { readonly stopped: Promise<void>; readonly over: Promise<void> } {
  const strike = async (): Promise<void> => {
    await processes.kill(fault.process);
    say(`${fault.process} is killed (kill -9)`);
  };
  const comeBack = async (): Promise<void> => {
    if (fault.return !== 'at once') await changes.reaches(tradeId, [fault.return], signal);
    await processes.start(fault.process);
    say(`${fault.process} is back`);
  };
  if (fault.stop === 'before lodging') {
    const stopped = strike();
    return { stopped, over: stopped.then(comeBack) };
  }
  const phase = fault.stop;
  const over = (async () => {
    if (!(await changes.reaches(tradeId, [phase], signal))) return;
    await strike();
    await comeBack();
  })();
  // Awaited when the sample has ended; a process that does not come back is told of by the supervisor at once.
  over.catch(() => undefined);
  return { stopped: Promise.resolve(), over };
}

function judge(
  { expected }: Sample,
  status: string,
  settlement: SettlementBody | undefined,
  refused: ProblemBody | undefined,
): string[] {
  const wrong: string[] = [];
  if (settlement && !ENDS.some((end) => end === status))
    wrong.push(`still ${status} after ${PATIENCE_MS / 1000} s${waitingFor(settlement)}, expected ${expected.status}`);
  else if (status !== expected.status)
    wrong.push(
      `${status} (${settlement?.decision?.because ?? refused?.detail ?? 'no reason'}), expected ${expected.status}`,
    );
  const because = settlement?.decision?.because ?? '';
  if (expected.because !== undefined && !because.includes(expected.because))
    wrong.push(`because "${because}", expected "${expected.because}"`);
  compare(wrong, 'residuals', settlement?.residuals.map((each) => each.residual) ?? [], expected.residuals);
  compare(
    wrong,
    'differing fields',
    settlement?.differences.map((each) => each.path) ?? [],
    expected.differences ?? [],
  );
  compare(wrong, 'problems', refused?.problems?.map(problemText) ?? [], (expected.problems ?? []).map(problemText));
  return wrong;
}

function waitingFor({ attention }: SettlementBody): string {
  return attention.length === 0
    ? ''
    : ` (waiting for ${attention.map((each) => `${each.waitingFor}: ${each.reason}`).join(', ')})`;
}

function problemText({ pointer, code }: { readonly pointer: string; readonly code: string }): string {
  return `${pointer} ${code}`;
}

/** Says what only one of two lists has. */
function compare(wrong: string[], what: string, found: readonly string[], expected: readonly string[]): void {
  const unexpected = found.filter((each) => !expected.includes(each));
  const missing = expected.filter((each) => !found.includes(each));
  const parts = [
    ...unexpected.map((each) => `${each} is not expected`),
    ...missing.map((each) => `${each} is expected and missing`),
  ];
  if (parts.length > 0) wrong.push(`${what}: ${parts.join(', ')}`);
}

/** Exactly the moves that are expected, and nothing held any more. */
function judgePositions({ expected }: Sample, before: Positions, after: Positions): string[] {
  const moved = differencesBetween(before, after).map(({ account, asset, by }) => `${account} ${asset} ${by}`);
  const wanted = Object.entries(expected.moves).flatMap(([account, assets]) =>
    Object.entries(assets).map(([asset, by]) => `${account} ${asset} ${by}`),
  );
  const wrong: string[] = [];
  compare(wrong, 'moves', moved, wanted);
  for (const [name, { held }] of after)
    if (held !== '0' && !/^0\.0+$/.test(held)) wrong.push(`${name} still has ${held} held`);
  return wrong;
}
