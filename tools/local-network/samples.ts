import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatInstant, PHASES } from '@linkspan/protocol';
import { type DomesticPlan, readPlan } from '@stand-in/back-office';
import { z } from 'zod';
import { CannotRun, unusable } from './cannot-run.ts';
import { mergePatch } from './merge-patch.ts';
import { readJson } from './read-json.ts';

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
const faultSchema = z.strictObject({
  process: z.string(),
  stop: z.enum(['before lodging', ...PHASES]),
  return: z.enum(['at once', ...PHASES]),
});

const jsonObjectSchema = z.record(z.string(), z.json());
const instructionSchema = z.looseObject({ tradeId: z.string(), scenario: z.string() });

export type Fault = z.infer<typeof faultSchema>;
export type Expected = z.infer<typeof expectedSchema>;
export type Sample = {
  readonly name: string;
  readonly instruction: Readonly<Record<string, unknown>>;
  /** What the other side lodged, where it differs. */
  readonly otherSide: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
  readonly faults: readonly Fault[];
  /** What participants do in a domestic system by themselves. */
  readonly domestic: DomesticPlan | undefined;
};

/** The samples in a directory, in their order. Throws CannotRun where there is none. */
export function sampleNames(directory: string): string[] {
  if (!existsSync(directory)) throw new CannotRun(`There is no directory of samples ${directory}.`);
  const names = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
  if (names.length === 0) throw new CannotRun(`There is no sample in ${directory}.`);
  return names;
}

/** Reads a sample of `deploy/samples`. */
export function readSample(root: string, name: string, run: string, now: number): Sample {
  return readSampleFrom(join(root, 'deploy/samples'), name, run, now);
}

/** Reads a sample and fills in its run and its instants, so that it never goes stale. Throws CannotRun, which names the file and what is wrong. */
export function readSampleFrom(directory: string, name: string, run: string, now: number): Sample {
  const folder = join(directory, name);
  const fillIn = (text: string): string => fill(text, name, run, now);
  const instruction = readPart(join(folder, 'instruction.json'), fillIn, instructionSchema);
  const patch = readPart(join(folder, 'other-side.json'), fillIn, jsonObjectSchema, {});
  return {
    name: name.replace(/^[0-9]+-/, ''),
    instruction,
    otherSide: mergePatch(instruction, patch),
    expected: readPart(join(folder, 'expected.json'), fillIn, expectedSchema),
    faults: readPart(join(folder, 'faults.json'), fillIn, z.array(faultSchema), []),
    domestic: readDomestic(join(folder, 'domestic.json'), fillIn),
  };
}

/** One file of a sample; without `otherwise` it must be there. */
function readPart<T>(file: string, fillIn: (text: string) => string, schema: z.ZodType<T>, otherwise?: unknown): T {
  const parsed = schema.safeParse(otherwise !== undefined && !existsSync(file) ? otherwise : readJson(file, fillIn));
  if (!parsed.success) throw unusable(file, parsed.error);
  return parsed.data;
}

function readDomestic(file: string, fillIn: (text: string) => string): DomesticPlan | undefined {
  if (!existsSync(file)) return undefined;
  const json = readJson(file, fillIn);
  try {
    return readPlan(json);
  } catch (error) {
    throw new CannotRun(`${file} cannot be used: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function fill(text: string, name: string, run: string, now: number): string {
  const digits = createHash('sha256').update(`${run} ${name}`).digest('hex');
  const uuid = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
  return text
    .replaceAll('{{run}}', run)
    .replaceAll('{{uuid}}', uuid)
    .replaceAll(/\{\{instant ([+-][0-9]+)s\}\}/g, (_, seconds: string) => formatInstant(now + Number(seconds) * 1000))
    .replaceAll(/\{\{date ([+-][0-9]+)s\}\}/g, (_, seconds: string) =>
      formatInstant(now + Number(seconds) * 1000).slice(0, 10),
    );
}
