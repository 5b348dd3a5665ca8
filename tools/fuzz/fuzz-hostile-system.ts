import type { Finding } from './fuzz-api.ts';
import { askHostile, type HostileSystem, startHostileSystem } from './hostile-systems.ts';

export type HostileReport = {
  readonly cases: number;
  readonly casesPerSecond: number;
  readonly findings: readonly Finding[];
};

/** Asks a validator of a system that answers whatever it likes, eight questions at a time. What is thrown where nobody listens ends the process. */
export async function fuzzHostileSystem(
  kind: HostileSystem['kind'],
  options: { readonly seed: string; readonly cases: number; readonly signal?: AbortSignal },
): Promise<HostileReport> {
  await using system = await startHostileSystem(kind, options.seed);
  const findings: Finding[] = [];
  const started = performance.now();
  let next = 0;
  async function work(): Promise<void> {
    while (next < options.cases && !options.signal?.aborted && findings.length < 30) {
      const number = next++;
      const what = await askHostile(system, options.seed, number);
      if (what !== undefined) findings.push({ case: number, what, how: kind, request: '' });
    }
  }
  await Promise.all(Array.from({ length: 8 }, work));
  return { cases: next, casesPerSecond: Math.round((next / (performance.now() - started)) * 1000), findings };
}
