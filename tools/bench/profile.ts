import { readdirSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Where a process was when it was looked at, many times a second: share of its busy time, by what the code belongs to and by function. */
export type TimeShare = { readonly name: string; readonly share: number };
export type TimeTable = { readonly parts: readonly TimeShare[]; readonly functions: readonly TimeShare[] };

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
type Profile = z.infer<typeof profileSchema>;

/** Has the work done under V8's sampling profiler. It makes the work slower, so nothing else is measured meanwhile. */
export async function profiled(work: () => Promise<void>): Promise<TimeTable> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return tableOf([profileSchema.parse(profile)], { from: 0, to: Number.MAX_SAFE_INTEGER });
}

/** What `node --cpu-prof` left in a folder, within a time on the clock of `process.hrtime`, in microseconds: every process's table, by process id. */
export function readProfiles(folder: string, window: Window): ReadonlyMap<number, TimeTable> {
  return new Map(
    readdirSync(folder).map((name) => {
      const profile = profileSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return [Number(name.split('.')[3]), tableOf([profile], window)];
    }),
  );
}

export type Window = { readonly from: number; readonly to: number };

const SHOWN_PARTS = 14;
const SHOWN_FUNCTIONS = 16;

function tableOf(profiles: readonly Profile[], window: Window): TimeTable {
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let busy = 0;
  for (const { nodes, samples, timeDeltas, startTime } of profiles) {
    const frames = framesOf(nodes);
    let at = startTime;
    for (const [i, id] of samples.entries()) {
      const took = timeDeltas[i] ?? 0;
      at += took;
      const frame = frames.get(id);
      if (!frame || at < window.from || at > window.to || frame.name.startsWith('(idle)')) continue;
      busy += took;
      parts.set(frame.part, (parts.get(frame.part) ?? 0) + took);
      functions.set(frame.name, (functions.get(frame.name) ?? 0) + took);
    }
  }
  return { parts: largest(parts, busy, SHOWN_PARTS), functions: largest(functions, busy, SHOWN_FUNCTIONS) };
}

type Frame = { readonly part: string; readonly name: string };

/** What has no source of its own (SQLite, hashes, regular expressions, JSON) belongs to whoever called it. */
function framesOf(nodes: Profile['nodes']): ReadonlyMap<number, Frame> {
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  return new Map(
    nodes.map((node): [number, Frame] => {
      const { functionName, url } = node.callFrame;
      const name = functionName || '(anonymous)';
      let caller: Profile['nodes'][number] | undefined = node;
      while (caller && caller.callFrame.url === '') caller = parents.get(caller.id);
      if (caller === node) return [node.id, { part: partOf(url), name: `${name} (${partOf(url)})` }];
      const special = SPECIAL[functionName];
      if (special !== undefined || !caller) return [node.id, { part: special ?? name, name: special ?? name }];
      const part = `${partOf(caller.callFrame.url)}, in native code`;
      return [node.id, { part, name: `${name} ← ${caller.callFrame.functionName || '(anonymous)'} (${part})` }];
    }),
  );
}

const SPECIAL: Readonly<Record<string, string>> = {
  '(garbage collector)': 'garbage collector',
  '(program)': 'outside JavaScript',
};

function largest(times: ReadonlyMap<string, number>, all: number, shown: number): TimeShare[] {
  return [...times]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, shown)
    .map(([name, time]) => ({ name, share: time / Math.max(1, all) }));
}

/** A package of ours, one of others, or Node's own modules. */
function partOf(url: string): string {
  const foreign = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (foreign !== undefined) return foreign;
  const own = /\/((?:packages|apps|systems)\/[^/]+)\//.exec(url)?.[1];
  if (own !== undefined) return own;
  if (url.startsWith('node:')) return `node:${url.slice('node:'.length).replace('internal/', '').split('/')[0] ?? ''}`;
  return 'tools and tests';
}
