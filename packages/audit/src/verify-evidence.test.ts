import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVerify } from '@linkspan/keys';
import { parse, hashSchema, type Json } from '@linkspan/protocol';
import fc from 'fast-check';
import { FABRIC_HOST, MAXIMUM_FILE_LENGTH } from './evidence.ts';
import { type Verdict, verifyEvidence, verifyEvidenceText } from './verify-evidence.ts';

const text = readFileSync(new URL('../../../test/vectors/audit/valid/settled.json', import.meta.url), 'utf8');
const verify = createVerify({ memoize: 10_000 });

function verdict(input: unknown): Verdict {
  const network = parse(hashSchema, JSON.parse(text).network, 'internal');
  assert.ok(network.ok);
  return verifyEvidence(input, { verify, network: network.value });
}

test('without a network that the reader names, only consistency is checked, and the report says so', () => {
  const found = verifyEvidenceText(text, { verify });
  assert.ok(found.verdict === 'complete' && !found.pinned);
  const pinned = verdict(JSON.parse(text));
  assert.ok(pinned.verdict === 'complete' && pinned.pinned);
});

/** What no signature covers: the place of a call on the ledger, and times at which nothing was written down. */
const OPERATORS_WORD = [
  /\/(block|index)$/,
  /^\/environment\/[0-9]+\/time$/,
  /^\/settlements\/0\/calls\/3\/time$/,
  /^\/host\/proves$/,
];

test('whatever value of a file is changed, it is no longer complete, but for the operator’s own word', () => {
  const paths = leaves(JSON.parse(text), '');
  const protectedPaths = paths.filter((path) => !OPERATORS_WORD.some((pattern) => pattern.test(path)));
  assert.ok(protectedPaths.length > paths.length / 2);
  fc.assert(
    fc.property(
      fc.constantFrom(...protectedPaths),
      fc.oneof(fc.constant('nearly the same'), fc.json().map(parseJson)),
      (path, value) => {
        const changed: unknown = JSON.parse(text);
        const before = at(changed, path);
        const other = value === 'nearly the same' ? nearly(before) : value;
        fc.pre(JSON.stringify(before) !== JSON.stringify(other));
        put(changed, path, other);
        assert.notEqual(verdict(changed).verdict, 'complete', path);
      },
    ),
    { numRuns: 400 },
  );
});

test('garbage of every kind is refused with a code, and nothing throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (garbage) => {
      assert.equal(verifyEvidenceText(garbage, { verify }).verdict, 'refused');
    }),
  );
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const inside = (pointer: string): string => {
    const changed: unknown = JSON.parse(text);
    put(changed, pointer, 'HERE');
    return JSON.stringify(changed).replace('"HERE"', () => deep);
  };
  const hostile: Record<string, string> = {
    deep,
    'deep in a call': inside('/settlements/0/calls/2/call/call/body/statements/0/statement/terms'),
    'deep in an entry': inside('/settlements/0/entries/2/changes'),
    'deep in the genesis': inside('/genesis/organisations'),
    'lone surrogate': text.replaceAll('Linkspan local network', '\\ud800'),
    'lone surrogate in a call': text.replaceAll('T-1', '\\ud800'),
    prototype: text.replace('{', '{"__proto__":{"schema":"audit/1"},'),
    'huge number': text.replace('"block":1,', '"block":1e400,'),
    'no settlement': text.replace(/"settlements":[^]*$/, '"settlements":[]}'),
  };
  for (const [name, file] of Object.entries(hostile))
    assert.equal(verifyEvidenceText(file, { verify }).verdict, 'refused', name);
});

test('a file that is too large is refused before it is parsed', () => {
  const found = verifyEvidenceText(' '.repeat(MAXIMUM_FILE_LENGTH + 1), { verify });
  assert.ok(found.verdict === 'refused');
  assert.equal(found.first.code, 'file-too-large');
});

test('a call that stands behind the end of its settlement belongs to the evidence, as late signatures do', () => {
  const late = JSON.parse(text);
  const [certify] = late.settlements[0].calls.splice(3, 1);
  late.settlements[0].calls.push({ ...certify, block: 99, time: late.settlements[0].calls.at(-1).time });
  assert.equal(verdict(late).verdict, 'complete');
});

test('times may go back from one transaction to the next on Fabric only, and never within one', () => {
  const file = JSON.parse(text);
  const [first, ...others] = file.environment;
  const earlier = { ...file, environment: [{ ...first, block: 0, time: first.time + 1 }, ...others] };
  const fabric = (changed: object) => verdict({ ...changed, host: FABRIC_HOST });
  const refused = verdict(earlier);
  assert.ok(refused.verdict === 'refused');
  assert.equal(refused.first.code, 'order-wrong');
  assert.equal(fabric(earlier).verdict, 'complete');
  const torn = fabric({ ...file, environment: [{ ...first, time: first.time + 1 }, ...others] });
  assert.ok(torn.verdict === 'refused');
  assert.equal(torn.first.code, 'order-wrong');
});

/** The pointer of every text, number, truth value and null. */
function leaves(value: Json, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) =>
    leaves(member, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

function at(document: unknown, path: string): unknown {
  return names(path).reduce(
    (value: unknown, name) => (isObject(value) ? Reflect.get(value, name) : undefined),
    document,
  );
}

function put(document: unknown, path: string, value: unknown): void {
  const all = names(path);
  const last = all.pop() ?? '';
  const holder = all.reduce(
    (inner: unknown, name) => (isObject(inner) ? Reflect.get(inner, name) : undefined),
    document,
  );
  assert.ok(isObject(holder), path);
  Reflect.set(holder, last, value);
}

function names(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** One digit, letter or step away. */
function nearly(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string' || value === '') return 'x';
  const last = value.at(-1);
  return value.slice(0, -1) + (last === '1' ? '2' : '1');
}

function parseJson(json: string): unknown {
  return JSON.parse(json);
}
