import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Field, fieldAt, fieldsBelow, fieldsSchema, flatten, instructionHash, unflatten } from './fields.ts';
import type { JsonObject } from './json.ts';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,5}$/);
const { tree } = fc.letrec<{ tree: JsonObject; node: JsonObject | string }>((tie) => ({
  tree: fc.dictionary(name, tie('node'), { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.string(), tie('tree')),
}));

test('what was flattened is put together again, whatever the order of its members', () => {
  fc.assert(
    fc.property(tree, (instruction) => {
      const fields = flatten(instruction);
      assert.deepEqual(unflatten(fields), instruction);
      const turned = JSON.parse(JSON.stringify(instruction), (_, value: unknown) =>
        typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toReversed()) : value,
      );
      assert.deepEqual(flatten(turned), fields);
      assert.equal(instructionHash(flatten(turned)), instructionHash(fields));
    }),
  );
});

test('fields are in order of their paths, each once, and make two instructions with one hash the same', () => {
  fc.assert(
    fc.property(tree, tree, (a, b) => {
      const [left, right] = [flatten(a), flatten(b)];
      const paths = left.map(({ path }) => path);
      assert.deepEqual(paths, [...new Set(paths)].toSorted());
      if (instructionHash(left) === instructionHash(right)) assert.deepEqual(a, b);
    }),
  );
});

test('paths out of order, repeated, through a value, or beside what leads through them make no instruction', () => {
  const refused: Field[][] = [
    [field('/b'), field('/a')],
    [field('/a'), field('/a')],
    [field('/a'), field('/a/b')],
    [field('/a/b'), field('/a')],
    [field('/a/b/c'), field('/a/b')],
  ];
  for (const fields of refused) assert.equal(unflatten(fields), undefined, JSON.stringify(fields));
  fc.assert(
    fc.property(tree, fc.nat(), (instruction, at) => {
      const fields = flatten(instruction);
      const again = fields[at % fields.length];
      assert.ok(again);
      assert.equal(unflatten([...fields, again]), undefined);
      if (fields.length > 1) assert.equal(unflatten(fields.toReversed()), undefined);
    }),
  );
});

test('only text and objects have fields', () => {
  for (const value of [1, null, true, ['x'], 1n]) {
    assert.throws(() => flatten({ a: { b: value } }), RangeError);
  }
  assert.deepEqual(flatten({ a: undefined, b: 'x' }), [{ path: '/b', value: 'x' }]);
});

test('a value is found at its path, and what lies below a path by its own names', () => {
  const fields = flatten({ lcy: { amount: '1', currency: 'JPY' }, lcyOther: 'x', rate: { of: '/lcy' } });
  assert.equal(fieldAt(fields, '/lcy/amount'), '1');
  assert.equal(fieldAt(fields, '/lcy'), undefined);
  assert.deepEqual(fieldsBelow(fields, '/lcy'), { amount: '1', currency: 'JPY' });
  assert.deepEqual(fieldsBelow(fields, '/lc'), {});
});

test('a list of fields has a bounded size and proper paths', () => {
  const good = flatten({ a: { b: 'x' } });
  assert.ok(fieldsSchema.safeParse(good).success);
  const long = Array.from({ length: 129 }, (_, i) => field(`/a${String(i).padStart(3, '0')}`));
  const refused = [
    [],
    long,
    [field('a')],
    [field('/a/')],
    [field('/1')],
    [field('/a-b')],
    [field('/a/b/c/d/e/f/g')],
    [{ path: '/a', value: 'x'.repeat(281) }],
  ];
  for (const fields of refused)
    assert.equal(fieldsSchema.safeParse(fields).success, false, JSON.stringify(fields).slice(0, 60));
});

function field(path: string): Field {
  return { path, value: 'x' };
}
