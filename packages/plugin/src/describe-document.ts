import type { DocumentReader, Form } from './document-reader.ts';

/** A member of a document, as its reader asks for it. */
export type DescribedMember = {
  /** A JSON pointer; `*` stands for every element of a list and every name of a table. */
  readonly pointer: string;
  /** What it must be, in words. */
  readonly form: string;
  /** What holds where it is left out. */
  readonly otherwise: string | undefined;
  readonly isNeeded: boolean;
};

/**
 * The members that a function asks a reader for, in its order. It is run over a reader that takes everything for given, so a description cannot
 * differ from what is read. `choose` says which of several choices is taken, by pointer.
 */
export function describeDocument(
  read: (reader: DocumentReader) => unknown,
  choose: Readonly<Record<string, string>> = {},
): DescribedMember[] {
  const members = new Map<string, DescribedMember>();
  read(recorder('', members, choose));
  return [...members.values()];
}

function recorder(
  pointer: string,
  members: Map<string, DescribedMember>,
  choose: Readonly<Record<string, string>>,
): DocumentReader {
  // What a reader looks for first, it can do without.
  const lookedFor = new Set<string>();
  function note(name: string, form: string, isNeeded: boolean, otherwise?: string): string {
    const at = `${pointer}/${name}`;
    if (!members.has(at)) members.set(at, { pointer: at, form, isNeeded: isNeeded && !lookedFor.has(name), otherwise });
    return at;
  }
  const below = (at: string): DocumentReader => recorder(at, members, choose);
  const words = (form?: Form, more?: string): string => form?.words ?? more ?? 'a text';
  return {
    text: (name, form, more) => (note(name, words(form, more), true), GIVEN),
    optionalText: (name, form, more) => (note(name, words(form, more), false), GIVEN),
    textOr: (name, otherwise, form) => (note(name, words(form), false, otherwise), otherwise),
    emptyOrText: (name) => (note(name, 'a text, which may be empty', true), GIVEN),
    texts: (name, form) => (note(name, `a list, each ${words(form)}`, true), []),
    integer(name, { min, max, otherwise }) {
      const most = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
      note(name, `a whole number from ${min}${most}`, otherwise === undefined, otherwise?.toString());
      return otherwise ?? min;
    },
    choice(name, allowed, otherwise) {
      const at = note(name, allowed.map((one) => `\`${one}\``).join(' or '), otherwise === undefined, otherwise);
      return allowed.find((one) => one === choose[at]) ?? allowed[0];
    },
    parsed: (name, _parse, more) => void note(name, more ?? 'an object', true),
    optional: (name, _parse, more) => void note(name, more ?? 'an object', false),
    include: () => undefined,
    includeHere: () => undefined,
    object: (name) => below(note(name, 'an object', true)),
    optionalObject: (name) => below(note(name, 'an object', false)),
    objectIf: (isDemanded, name) => below(note(name, 'an object', isDemanded)),
    objects: (name) => [below(`${note(name, 'a list of objects', true)}/*`)],
    entries: (name) => [['*', below(`${note(name, 'an object by name', true)}/*`)]],
    allTexts: () => (note('*', 'a text', false), {}),
    has: (name) => lookedFor.add(name).has(name),
    fail: () => undefined,
    finish: () => ({ ok: false, refusal: { code: 'configuration-invalid', message: 'It was only described.' } }),
  };
}

/** Stands for the text that would be there; it is no address, so that nothing is concluded from it. */
const GIVEN = 'described';
