import { refuse } from './refusal.ts';
import type { Result } from './refusal.ts';

/** One value on its way in: where it stood (a JSON pointer, RFC 6901) and where its problems are collected. */
export type Source = {
  readonly value: unknown;
  readonly pointer: string;
  readonly problems: FieldProblem[];
  /** Only where no value is read, but noted what the reader would take. */
  readonly sketch?: Sketch;
};

/** What a reader takes, as far as JSON Schema says it. A name makes it one schema for all who use it. */
export type Sketch = {
  keywords: Record<string, unknown>;
  members?: Map<string, Sketch>;
  element?: Sketch;
  isOptional: boolean;
  name?: string;
};

export function emptySketch(): Sketch {
  return { keywords: {}, isOptional: false };
}

export type FieldProblem = { pointer: string; message: string };

/** Reads one value. After a problem it returns a neutral value, which never leaves `decode`. */
export type Reader<T> = (source: Source) => T;

/** Reads a whole document and reports every problem of it at once. */
export function decode<T>(value: unknown, read: Reader<T>): Result<T> {
  const problems: FieldProblem[] = [];
  const result = read({ value, pointer: '', problems });
  if (problems.length === 0) return { ok: true, value: result };
  const detail = problems.map((each) => `${each.pointer || '/'} ${each.message}`).join('; ');
  return refuse('request-invalid', detail, { problems });
}

/** The members of an object; those that are not named here are refused. */
export function membersOf(source: Source, names: readonly string[]): (name: string) => Source {
  const record = isRecord(source.value) ? source.value : {};
  if (source.sketch) source.sketch.members = new Map(names.map((name) => [name, emptySketch()]));
  if (!isRecord(source.value)) report(source, 'must be an object');
  for (const name of Object.keys(record)) {
    if (!names.includes(name)) report(member(source, record, name), 'is not a known member');
  }
  return (name) => member(source, record, name);
}

export function optional<T>(source: Source, read: Reader<T>): T | undefined {
  if (source.sketch) {
    source.sketch.isOptional = true;
    read(source);
  }
  return source.value === undefined ? undefined : read(source);
}

export function listOf<T>(source: Source, most: number, read: Reader<T>): T[] {
  if (source.sketch) {
    source.sketch.element = emptySketch();
    source.sketch.keywords = { type: 'array', maxItems: most };
    read({ ...source, sketch: source.sketch.element });
  }
  if (!Array.isArray(source.value) || source.value.length > most) {
    report(source, `must be a list of at most ${most} elements`);
    return [];
  }
  const values: readonly unknown[] = source.value;
  return values.map((value, index) => read({ ...source, value, pointer: `${source.pointer}/${index}` }));
}

/** The entries of an object whose names are data. */
export function entriesOf<T>(source: Source, read: Reader<T>): [string, T][] {
  const record = isRecord(source.value) ? source.value : {};
  if (!isRecord(source.value)) report(source, 'must be an object');
  return Object.keys(record).map((name) => [name, read(member(source, record, name))]);
}

/** 32 bytes as 0x and 64 hex digits, returned in lower case so that one id has one spelling. */
export function readBytes32(source: Source): string {
  return readPattern(source, /^0x[0-9a-f]{64}$/i, 'must be 32 bytes in hex (0x and 64 digits)').toLowerCase();
}

/** An id that an effect is keyed by. Zero means "no id" to callers and is therefore never one. */
export function readId(source: Source): string {
  const id = readBytes32(source);
  if (id === ZERO_ID) report(source, 'must not be zero');
  return id;
}

/** An id that may be left out; zero says the same as leaving it out. */
export function readIdOrNone(source: Source): string | undefined {
  const id = optional(source, readBytes32);
  return id === ZERO_ID ? undefined : id;
}

export function readAddress(source: Source): string {
  return readPattern(source, /^0x[0-9a-f]{40}$/i, 'must be an address (0x and 40 hex digits)').toLowerCase();
}

/** Any bytes in hex; the length is left to whoever knows what they mean. */
export function readBytes(source: Source): string {
  return readPattern(source, /^0x([0-9a-f]{2}){0,128}$/i, 'must be at most 128 bytes in hex').toLowerCase();
}

/** A positive amount of minor units as a decimal string without leading zeros. */
export function readAmount(source: Source): bigint {
  const text = readPattern(source, /^[1-9][0-9]{0,18}$/, 'must be a positive integer of minor units in a string');
  return atMost(source, text);
}

/** An opening amount, which may be zero. */
export function readBalance(source: Source): bigint {
  const text = readPattern(source, /^(0|[1-9][0-9]{0,18})$/, 'must be an integer of minor units in a string');
  return atMost(source, text);
}

export function readName(source: Source): string {
  return readPattern(source, /^[0-9A-Za-z._-]{1,35}$/, 'must be 1 to 35 letters, digits, dots, dashes or underscores');
}

/** A business reference that participants agree among themselves. */
export function readTrade(source: Source): string {
  return readPattern(source, /^[0-9A-Za-z][0-9A-Za-z/._-]{0,63}$/, 'must be 1 to 64 letters, digits or / . _ -');
}

export function readFlag(source: Source): boolean {
  note(source, { type: 'boolean' });
  if (typeof source.value === 'boolean') return source.value;
  report(source, 'must be true or false');
  return false;
}

export function readText(source: Source): string {
  return readPattern(source, /^[^\p{Cc}]{1,200}$/u, 'must be a text of 1 to 200 characters');
}

/** An ISO 20022 reason code: four capital letters or digits. */
export function readReason(source: Source): string {
  return readPattern(source, /^[A-Z0-9]{4}$/, 'must be a reason code of four capital letters or digits');
}

export function readInteger(source: Source, least: number, most: number): number {
  note(source, { type: 'integer', minimum: least, maximum: most });
  const { value } = source;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  report(source, `must be an integer from ${least} to ${most}`);
  return least;
}

/** An integer as it stands in a query string. */
export function readIntegerText(source: Source, least: number, most: number): number {
  const text = readPattern(source, /^[0-9]{1,16}$/, `must be an integer from ${least} to ${most}`);
  return text === '' && !source.sketch ? least : readInteger({ ...source, value: Number(text) }, least, most);
}

export function readOneOf<T extends string>(source: Source, choices: readonly [T, ...T[]]): T {
  note(source, { enum: choices });
  const found = choices.find((choice) => choice === source.value);
  if (found !== undefined) return found;
  report(source, `must be one of ${choices.join(', ')}`);
  return choices[0];
}

/** Gives what is read here a name of its own in descriptions. */
export function nameSketch({ sketch }: Source, name: string): void {
  if (sketch) sketch.name = name;
}

export function report(source: Source, message: string): void {
  source.problems.push({ pointer: source.pointer, message });
}

/** The largest amount that is booked: half of SQLite's integer, so that no sum of two can leave it. */
export const LARGEST_AMOUNT = 2n ** 62n;

const ZERO_ID = `0x${'0'.repeat(64)}`;

function atMost(source: Source, text: string): bigint {
  const amount = BigInt(text === '' ? '0' : text);
  if (amount > LARGEST_AMOUNT) report(source, `must not exceed ${LARGEST_AMOUNT}`);
  return amount;
}

function note({ sketch }: Source, keywords: Record<string, unknown>): void {
  if (sketch) sketch.keywords = keywords;
}

function readPattern(source: Source, pattern: RegExp, message: string): string {
  note(source, { type: 'string', pattern: spelled(pattern), description: message });
  if (typeof source.value === 'string' && pattern.test(source.value)) return source.value;
  report(source, source.value === undefined ? 'is missing' : message);
  return '';
}

/** JSON Schema has no flags: a pattern that knows no case lists both. */
function spelled({ source, flags }: RegExp): string {
  return flags.includes('i') ? source.replaceAll('a-f', 'a-fA-F') : source;
}

function member(source: Source, record: Record<string, unknown>, name: string): Source {
  const escaped = name.replaceAll('~', '~0').replaceAll('/', '~1');
  const value = Object.hasOwn(record, name) ? record[name] : undefined;
  const { sketch, ...rest } = source;
  const inside = sketch?.members?.get(name);
  return { ...rest, value, pointer: `${source.pointer}/${escaped}`, ...(inside ? { sketch: inside } : {}) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
