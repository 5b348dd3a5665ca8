import type { Random } from '../torture/random.ts';

/** Changes a JSON value in one to three places: types, members, lengths, names. The original stays as it is. */
export function mutateValue(random: Random, value: unknown): unknown {
  let changed = structuredClone(value);
  for (let n = random.pick([1, 1, 1, 2, 3]); n > 0 && placesIn(changed).length < 2000; n--)
    changed = mutateOnce(random, changed);
  return changed;
}

/** Changes a text in one to three places. */
export function mutateText(random: Random, text: string): string {
  let changed = text;
  for (let n = random.between(1, 3); n > 0; n--) changed = strangeText(random, changed);
  return changed;
}

/** A long text of the same few characters over and over, which shows what takes longer than its input. */
export function longText(random: Random): string {
  return random
    .pick(['9', '0.', 'A', ' ', '-', '/a', '{"a":', '[', '\\"', '1,', '%', 'XS', '\u00e9', '0-'])
    .repeat(100_000);
}

/** JSON text whose bytes are wrong in one place: doubled members, broken UTF-8, depth, numbers, ends. */
export function mutateBytes(random: Random, value: unknown): Buffer {
  const text = JSON.stringify(value) ?? 'null';
  const at = random.between(0, text.length);
  switch (random.between(0, 11)) {
    case 0:
      return Buffer.from(doubledMember(random, text));
    case 1:
      return Buffer.concat([Buffer.from(text.slice(0, at)), random.pick(BROKEN_UTF8), Buffer.from(text.slice(at))]);
    case 2:
      return Buffer.from(text.slice(0, at));
    case 3:
      return Buffer.from(text + random.pick(['}', ',', ' x', text, '\0', '\n\n']));
    case 4:
      return Buffer.from(nested(random, random.pick([31, 32, 33, 1000, 50_000])));
    case 5:
      return Buffer.from(text.replace(/[0-9]+/, random.pick(STRANGE_NUMBERS)));
    case 6:
      return Buffer.from(text.replace(/"[^"]*"(?!:)/, random.pick(STRANGE_TEXTS)));
    case 7:
      return Buffer.from(`${random.pick(['\ufeff', ' '.repeat(5000), '\r\n\t', '// c\n', '\0'])}${text}`);
    case 8:
      return Buffer.from(text, random.pick(['utf16le', 'latin1', 'base64'] as const));
    case 9: {
      const bytes = Buffer.from(text);
      for (let n = random.between(1, 4); n > 0 && bytes.length > 0; n--)
        bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
      return bytes;
    }
    case 10:
      return Buffer.from(random.pick(['', 'null', '"', '[]', '{', 'true', '{}', '-', '1e999', '[[', '"\\u']));
    default:
      return Buffer.from(Array.from({ length: random.between(1, 300) }, () => random.between(0, 255)));
  }
}

/** A value that no schema expects where it stands. */
export function strangeValue(random: Random): unknown {
  return random.pick(STRANGE_VALUES)();
}

function mutateOnce(random: Random, root: unknown): unknown {
  const places = placesIn(root);
  const place = random.pick(places);
  const { parent, key, value } = place;
  if (parent === undefined) return random.chance(0.3) ? strangeValue(random) : addMember(random, root);
  switch (random.between(0, 6)) {
    case 0:
      Reflect.deleteProperty(parent, key);
      return root;
    case 1:
      addMember(random, parent);
      return root;
    case 2:
      return set(root, place, random.pick(places).value);
    case 3:
      return set(root, place, Array.isArray(value) ? repeated(random, value) : [value]);
    case 4:
      return set(root, place, strangeText(random, textOf(value)));
    case 5:
      return set(
        root,
        place,
        typeof value === 'number'
          ? random.pick([-value, value + 0.5, value + 1, `${value}`, -0])
          : Number(textOf(value)),
      );
    default:
      return set(root, place, strangeValue(random));
  }
}

type Place = { readonly parent: object | undefined; readonly key: string; readonly value: unknown };

function placesIn(root: unknown): Place[] {
  const places: Place[] = [{ parent: undefined, key: '', value: root }];
  for (let i = 0; i < places.length && places.length < 3000; i++) {
    const at = places[i]?.value;
    if (typeof at !== 'object' || at === null) continue;
    for (const [key, value] of Object.entries(at)) places.push({ parent: at, key, value });
  }
  return places;
}

/** `__proto__` must become a member of its own, as JSON.parse makes it, and never the prototype. */
function set(root: unknown, { parent, key }: Place, value: unknown): unknown {
  if (parent)
    Object.defineProperty(parent, key, { value: copied(value), enumerable: true, configurable: true, writable: true });
  return root;
}

/** Moved parts are copied, so that a value never holds itself. */
function copied(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}

function addMember(random: Random, parent: unknown): unknown {
  if (typeof parent === 'object' && parent !== null)
    set(
      parent,
      { parent, key: Array.isArray(parent) ? String(parent.length) : random.pick(STRANGE_NAMES), value: undefined },
      strangeValue(random),
    );
  return parent;
}

function repeated(random: Random, list: readonly unknown[]): unknown[] {
  // What is repeated again and again would grow beyond all bounds.
  const times = placesIn(list).length > 50 ? 2 : random.pick([0, 2, 3, 100]);
  return Array.from({ length: times }, () => list).flat();
}

function strangeText(random: Random, text: string): string {
  const at = random.between(0, text.length);
  const inserted = random.pick(INSERTED);
  switch (random.between(0, 4)) {
    case 0:
      return text.slice(0, at) + inserted + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.repeat(text.length > 2000 ? 1 : random.pick([0, 2, 50]));
    case 3:
      return random.chance(0.5) ? text.toUpperCase() : text.toLowerCase();
    default:
      return (
        text.slice(0, at) +
        String.fromCharCode((text.charCodeAt(at) || 48) ^ (1 << random.between(0, 4))) +
        text.slice(at + 1)
      );
  }
}

function doubledMember(random: Random, text: string): string {
  const names = [...text.matchAll(/[{,]("(?:[^"\\]|\\.)*"):/g)];
  if (names.length === 0) return text + text;
  const found = random.pick(names);
  const value = random.pick(['null', '1', '"x"', '{}', '[]']);
  const at = (found.index ?? 0) + 1;
  return `${text.slice(0, at)}${found[1] ?? '""'}:${value},${text.slice(at)}`;
}

function nested(random: Random, depth: number): string {
  return random.chance(0.5)
    ? '['.repeat(depth) + (random.chance(0.5) ? ']'.repeat(depth) : '')
    : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
}

const STRANGE_VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1.5,
  () => 1e308,
  () => 2 ** 53,
  () => Number.MAX_SAFE_INTEGER,
  () => '',
  () => ' ',
  () => 'x'.repeat(10_000),
  () => '9'.repeat(5000),
  () => '\ud800',
  () => '\udc00\ud800',
  () => '\0',
  () => '__proto__',
  () => 'sha256:' + '0'.repeat(64),
  () => '0x',
  () => [],
  () => [[[[[[[[]]]]]]]],
  () => Array.from({ length: 1000 }, () => 1),
  () => ({}),
  () => ({ a: { b: { c: {} } } }),
  () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
  () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`m${i}`, i])),
];

const STRANGE_NAMES = [
  'extra',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '',
  '0',
  'a/b~c',
  '\ud800',
  'n'.repeat(2000),
];

const INSERTED = [
  '\0',
  '\n',
  ' ',
  '\ud800',
  'é',
  '٣',
  '０',
  '-',
  '.',
  '0',
  '9',
  ',',
  '%00',
  '../',
  '\u202e',
  'x',
  '"',
  '\\',
];

const STRANGE_NUMBERS = [
  '1e999',
  '-0',
  '01',
  'NaN',
  'Infinity',
  '0x10',
  '1_000',
  '1.',
  '.5',
  '9'.repeat(4000),
  '1e-400',
  '+1',
];

const STRANGE_TEXTS = ['"\\ud800"', '"\\u0000"', '"\\x"', "'x'", '"\n"', '"\\ud83d\\u0041"', `"${'y'.repeat(20_000)}"`];

const BROKEN_UTF8 = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xe2, 0x82]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0x80]),
  Buffer.from([0xf8, 0x88, 0x80, 0x80, 0x80]),
];

/** What stands for a value where a text is needed; objects may have a toString of their own by now. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'object' : String(value);
}
