import { accept, type ErrorCode, type Problem, problem, refuse, type Result } from '@linkspan/protocol';

/** What a text must look like: the pattern, and the same in words for the person who got it wrong. */
export type Form = { readonly pattern: RegExp; readonly words: string };

/**
 * Reads a JSON object member by member. A member that is missing or wrong is noted and read as an empty value, so that one pass finds every
 * problem; `finish` hands the built value out only where there was none, and also reports members that nobody asked for.
 */
export type DocumentReader = {
  /** `words` say what the text is where no form does. */
  text(name: string, form?: Form, words?: string): string;
  optionalText(name: string, form?: Form, words?: string): string | undefined;
  textOr(name: string, otherwise: string, form?: Form): string;
  /** A text that must be there and may be empty. */
  emptyOrText(name: string): string;
  texts(name: string, form?: Form): string[];
  integer(name: string, range: { readonly min: number; readonly max: number; readonly otherwise?: number }): number;
  choice<const T extends string>(name: string, allowed: readonly [T, ...T[]], otherwise?: T): T;
  /** Hands the member to another parser; its problems are placed below this member. `words` say what it is. */
  parsed<T>(name: string, parse: (value: unknown) => Result<T>, words?: string): T | undefined;
  optional<T>(name: string, parse: (value: unknown) => Result<T>, words?: string): T | undefined;
  /** Places the problems of a result that was read elsewhere below this member. */
  include(name: string, result: Result<unknown>): void;
  /** The same for a result about this object as a whole. */
  includeHere(result: Result<unknown>): void;
  object(name: string): DocumentReader;
  optionalObject(name: string): DocumentReader | undefined;
  /** An object that may be left out unless it is demanded; `why` is told to whoever left it out then. */
  objectIf(isDemanded: boolean, name: string, why: string): DocumentReader | undefined;
  objects(name: string): DocumentReader[];
  /** The members of an object whose names are free, such as a table by currency. */
  entries(name: string): [string, DocumentReader][];
  /** All members of this object, which must be texts. */
  allTexts(): Readonly<Record<string, string>>;
  has(name: string): boolean;
  fail(name: string, message: string): undefined;
  finish<T>(code: ErrorCode, build: () => T): Result<T>;
};

export function readDocument(value: unknown): DocumentReader {
  const notes: Notes = { problems: [], readers: [] };
  return reader(value, '', notes);
}

/** A JSON object, seen without trusting anything in it. */
export type Untrusted = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Untrusted {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Notes = {
  readonly problems: Problem[];
  readonly readers: { readonly pointer: string; readonly given: Untrusted; readonly asked: Set<string> }[];
};

function reader(value: unknown, pointer: string, notes: Notes): DocumentReader {
  const given = isObject(value) ? value : {};
  const asked = new Set<string>();
  notes.readers.push({ pointer, given, asked });
  if (!isObject(value))
    note(notes, pointer, value === undefined ? 'missing' : 'type-wrong', 'A JSON object is needed here.');

  function take(name: string): { readonly at: string; readonly member: unknown } {
    asked.add(name);
    return { at: `${pointer}/${name}`, member: given[name] };
  }
  function text(name: string, form?: Form): string {
    const { at, member } = take(name);
    if (member === undefined) note(notes, at, 'missing', `"${name}" is missing.`);
    else if (typeof member !== 'string' || member === '')
      note(notes, at, 'type-wrong', `"${name}" must be a text that is not empty.`);
    else if (form && !form.pattern.test(member)) note(notes, at, 'type-wrong', `"${name}" must be ${form.words}.`);
    else return member;
    return '';
  }
  function parsed<T>(name: string, parse: (value: unknown) => Result<T>): T | undefined {
    const { at, member } = take(name);
    if (member === undefined) return note(notes, at, 'missing', `"${name}" is missing.`);
    const result = parse(member);
    include(name, result);
    return result.ok ? result.value : undefined;
  }
  function include(name: string, result: Result<unknown>): void {
    if (result.ok) return;
    const below = result.refusal.problems ?? [problem('', 'type-wrong', result.refusal.message)];
    notes.problems.push(...below.map((one) => ({ ...one, pointer: `${take(name).at}${one.pointer}` })));
  }

  return {
    text,
    parsed,
    include,
    includeHere(result) {
      if (result.ok) return;
      const below = result.refusal.problems ?? [problem('', 'type-wrong', result.refusal.message)];
      notes.problems.push(...below.map((one) => ({ ...one, pointer: `${pointer}${one.pointer}` })));
    },
    optionalText: (name, form) => (take(name).member === undefined ? undefined : text(name, form)),
    textOr: (name, otherwise, form) => (take(name).member === undefined ? otherwise : text(name, form)),
    emptyOrText: (name) => (take(name).member === '' ? '' : text(name)),
    optional: (name, parse) => (take(name).member === undefined ? undefined : parsed(name, parse)),
    texts(name, form) {
      const { at, member } = take(name);
      if (!Array.isArray(member)) {
        note(notes, at, member === undefined ? 'missing' : 'type-wrong', `"${name}" must be a list of texts.`);
        return [];
      }
      const texts: string[] = [];
      for (const [i, one] of member.entries()) {
        if (typeof one === 'string' && (!form || form.pattern.test(one))) texts.push(one);
        else note(notes, `${at}/${i}`, 'type-wrong', `Each of "${name}" must be ${form?.words ?? 'a text'}.`);
      }
      return texts;
    },
    integer(name, { min, max, otherwise }) {
      const { at, member } = take(name);
      if (member === undefined && otherwise !== undefined) return otherwise;
      if (typeof member === 'number' && Number.isSafeInteger(member) && member >= min && member <= max) return member;
      note(
        notes,
        at,
        member === undefined ? 'missing' : 'type-wrong',
        `"${name}" must be a whole number from ${min} to ${max}.`,
      );
      return min;
    },
    choice(name, allowed, otherwise) {
      const { at, member } = take(name);
      if (member === undefined && otherwise !== undefined) return otherwise;
      const chosen = allowed.find((one) => one === member);
      if (chosen === undefined)
        note(
          notes,
          at,
          member === undefined ? 'missing' : 'value-not-allowed',
          `"${name}" must be one of ${allowed.join(', ')}.`,
        );
      return chosen ?? allowed[0];
    },
    object(name) {
      const { at, member } = take(name);
      return reader(member, at, notes);
    },
    optionalObject(name) {
      const { at, member } = take(name);
      return member === undefined ? undefined : reader(member, at, notes);
    },
    objectIf(isDemanded, name, why) {
      const { at, member } = take(name);
      if (member !== undefined) return reader(member, at, notes);
      return isDemanded ? note(notes, at, 'missing', why) : undefined;
    },
    objects(name) {
      const { at, member } = take(name);
      if (Array.isArray(member)) return member.map((one, i) => reader(one, `${at}/${i}`, notes));
      note(notes, at, member === undefined ? 'missing' : 'type-wrong', `"${name}" must be a list.`);
      return [];
    },
    entries(name) {
      const { at, member } = take(name);
      if (isObject(member))
        return Object.entries(member).map(([key, one]) => [key, reader(one, `${at}/${key}`, notes)]);
      note(notes, at, member === undefined ? 'missing' : 'type-wrong', `"${name}" must be an object.`);
      return [];
    },
    allTexts: () => Object.fromEntries(Object.keys(given).map((name) => [name, text(name)])),
    has: (name) => given[name] !== undefined,
    fail: (name, message) => note(notes, name === '' ? pointer : `${pointer}/${name}`, 'value-not-allowed', message),
    finish(code, build) {
      const unknown = notes.readers.flatMap((one) =>
        Object.keys(one.given)
          .filter((name) => !one.asked.has(name))
          .map((name) =>
            problem(`${one.pointer}/${name}`, 'member-unknown', `There is no member "${name.slice(0, 64)}" here.`),
          ),
      );
      const problems = [...notes.problems, ...unknown];
      if (problems.length === 0) return accept(build());
      const list = problems.map((one) => `${one.pointer || 'the document'}: ${one.message}`).join(' ');
      return refuse(code, list.slice(0, 2_000), { problems });
    },
  };
}

function note(
  notes: Notes,
  pointer: string,
  code: 'missing' | 'type-wrong' | 'value-not-allowed',
  message: string,
): undefined {
  notes.problems.push(problem(pointer, code, message));
  return undefined;
}
