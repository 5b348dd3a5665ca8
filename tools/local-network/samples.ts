import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatInstant, PHASES } from '@linkspan/protocol';
import { z } from 'zod';

/** How a sample must end. `moves`: by account and asset, in decimal strings; every position that is not named must stay as it was. */
const expectedSchema = z.strictObject({
  title: z.string(),
  status: z.enum([...PHASES, 'refused']),
  because: z.string().optional(),
  differences: z.array(z.string()).optional(),
  problems: z.array(z.strictObject({ pointer: z.string(), code: z.string() })).optional(),
  residuals: z.array(z.string()).default([]),
  moves: z.record(z.string(), z.record(z.string(), z.string())),
});

/** Which process stops, when, and when it comes back: at a phase of the settlement, or at once. */
const faultSchema = z.strictObject({ process: z.string(), stop: z.enum(['before lodging', ...PHASES]), return: z.enum(['at once', ...PHASES]) });

const jsonObjectSchema = z.record(z.string(), z.json());

export type Fault = z.infer<typeof faultSchema>;
export type Expected = z.infer<typeof expectedSchema>;
export type Sample = {
  readonly name: string;
  readonly instruction: Readonly<Record<string, unknown>>;
  /** What the other side lodged, where it differs. */
  readonly otherSide: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
  readonly faults: readonly Fault[];
};

export function sampleNames(root: string): string[] {
  return readdirSync(join(root, 'deploy/samples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

/** Reads a sample and fills in its run and its instants, so that it never goes stale. */
export function readSample(root: string, name: string, run: string, now: number): Sample {
  const folder = join(root, 'deploy/samples', name);
  const read = (file: string, otherwise: string): unknown => JSON.parse(fill(existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : otherwise, name, run, now));
  const instruction = jsonObjectSchema.parse(read('instruction.json', ''));
  const patch = jsonObjectSchema.parse(read('other-side.json', '{}'));
  return {
    name: name.replace(/^[0-9]+-/, ''),
    instruction,
    otherSide: merged(instruction, patch),
    expected: expectedSchema.parse(read('expected.json', '')),
    faults: z.array(faultSchema).parse(read('faults.json', '[]')),
  };
}

function fill(text: string, name: string, run: string, now: number): string {
  const digits = createHash('sha256').update(`${run} ${name}`).digest('hex');
  const uuid = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
  return text
    .replaceAll('{{run}}', run)
    .replaceAll('{{uuid}}', uuid)
    .replaceAll(/\{\{instant ([+-][0-9]+)s\}\}/g, (_, seconds: string) => formatInstant(now + Number(seconds) * 1000))
    .replaceAll(/\{\{date ([+-][0-9]+)s\}\}/g, (_, seconds: string) => formatInstant(now + Number(seconds) * 1000).slice(0, 10));
}

/** A merge patch (RFC 7396). */
function merged(target: unknown, patch: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? merged(result[name], value) : value;
  }
  return result;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
