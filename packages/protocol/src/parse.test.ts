import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parse, pointerOf } from './parse.ts';

const schema = z.strictObject({
  name: z.string().max(3),
  kind: z.enum(['a', 'b']),
  'odd/na~me': z.strictObject({ list: z.array(z.strictObject({ count: z.int() })) }),
});
const good = { name: 'x', kind: 'a', 'odd/na~me': { list: [{ count: 1 }] } };

test('what has the form is the value', () => {
  assert.deepEqual(parse(schema, good, 'request-invalid'), { ok: true, value: good });
});

test('a document with thousands of wrong members has the first two hundred told', () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`a${i}`, 1]));
  for (const shape of [z.record(z.string(), z.string()), z.strictObject({})]) {
    const result = parse(shape, many, 'request-invalid');
    assert.ok(!result.ok);
    assert.equal(result.refusal.problems?.length, 200);
    assert.equal(result.refusal.problems[199]?.pointer, '/a199');
  }
});

test('everything that is wrong is told at once, each at its JSON pointer with its code', () => {
  const result = parse(
    schema,
    { name: 'long', kind: 'c', 'odd/na~me': { list: [{ count: 1.5 }, {}], 'm~/': 1 }, more: 1 },
    'request-invalid',
  );
  assert.ok(!result.ok);
  assert.equal(result.refusal.code, 'request-invalid');
  assert.deepEqual(result.refusal.problems?.map(({ pointer, code }) => [pointer, code]).toSorted(), [
    ['/kind', 'value-not-allowed'],
    ['/more', 'member-unknown'],
    ['/name', 'too-long'],
    ['/odd~1na~0me/list/0/count', 'type-wrong'],
    ['/odd~1na~0me/list/1/count', 'missing'],
    ['/odd~1na~0me/m~0~1', 'member-unknown'],
  ]);
});

test('a number outside its range has a code of its own, and no sentence is that of a library', () => {
  const page = z.strictObject({
    limit: z.coerce.number('a whole number from 1 to 500').int().min(1).max(500),
    at: z.string(),
    flag: z.boolean(),
  });
  for (const [limit, code] of [
    [0, 'out-of-range'],
    [501, 'out-of-range'],
    ['x', 'type-wrong'],
  ] as const) {
    const result = parse(page, { limit, at: Infinity, flag: 'yes' }, 'request-invalid');
    assert.ok(!result.ok);
    assert.deepEqual(
      result.refusal.problems?.map((each) => [each.pointer, each.code]),
      [
        ['/limit', code],
        ['/at', 'type-wrong'],
        ['/flag', 'type-wrong'],
      ],
    );
    assert.deepEqual(
      result.refusal.problems?.slice(1).map(({ message }) => message),
      ['"at": a text is wanted.', '"flag": true or false is wanted.'],
    );
  }
});

test('what is no object at all is one problem of the whole', () => {
  for (const value of [null, 7, 'x', [], true]) {
    const result = parse(schema, value, 'call-invalid');
    assert.ok(!result.ok);
    assert.deepEqual(
      result.refusal.problems?.map(({ pointer, code }) => [pointer, code]),
      [['', 'type-wrong']],
    );
    assert.match(result.refusal.message, /^The whole: /);
  }
});

test('members that every object inherits are not taken for its own', () => {
  const result = parse(z.strictObject({ constructor: z.string(), toString: z.string() }), {}, 'request-invalid');
  assert.ok(!result.ok);
  assert.deepEqual(
    result.refusal.problems?.map(({ code }) => code),
    ['missing', 'missing'],
  );
});

test('a long unknown name is cut in the sentence about it', () => {
  const result = parse(schema, { ...good, ['x'.repeat(5000)]: 1 }, 'request-invalid');
  assert.ok(!result.ok);
  assert.ok((result.refusal.problems?.[0]?.message.length ?? 0) < 200);
});

test('a pointer is that of RFC 6901', () => {
  assert.equal(pointerOf([]), '');
  assert.equal(pointerOf(['a', 0, '', '~/', '~1']), '/a/0//~0~1/~01');
});
