import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { FIRST_INSTANT_MS, formatDate, formatInstant, LAST_INSTANT_MS, parseDate, parseInstant } from './instant.ts';

const vectors = z
  .strictObject({
    valid: z.array(z.strictObject({ value: z.string(), epochMs: z.int(), utc: z.string() })),
    invalid: z.array(z.strictObject({ value: z.string(), code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/identifiers/instant.json', import.meta.url), 'utf8')));

const anyInstant = fc.integer({ min: FIRST_INSTANT_MS, max: LAST_INSTANT_MS });
const anyDay = fc.integer({ min: FIRST_INSTANT_MS / 86_400_000, max: (LAST_INSTANT_MS + 1) / 86_400_000 - 1 });

test('every valid vector is read to its epoch and written in UTC', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { value, epochMs, utc } of vectors.valid) {
    assert.deepEqual(parseInstant(value), { ok: true, value: epochMs }, value);
    assert.equal(formatInstant(epochMs), utc);
  }
});

test('every invalid vector is refused with its code and a sentence', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { value, code } of vectors.invalid) {
    const read = parseInstant(value);
    assert.ok(!read.ok, value);
    assert.equal(read.code, code, value);
    assert.match(read.message, /\.$/);
  }
});

test('writing agrees with Date, and reading takes it back', () => {
  fc.assert(
    fc.property(anyInstant, (instantMs) => {
      const text = formatInstant(instantMs);
      assert.equal(text, new Date(instantMs).toISOString());
      assert.deepEqual(parseInstant(text), { ok: true, value: instantMs });
    }),
    { numRuns: 1000 },
  );
});

test('reading with an offset agrees with Date', () => {
  const offset = fc.tuple(fc.constantFrom('+', '-'), fc.nat({ max: 23 }), fc.nat({ max: 59 }));
  fc.assert(
    fc.property(anyInstant, offset, fc.nat({ max: 3 }), (instantMs, [sign, hours, minutes], decimals) => {
      const local = new Date(instantMs).toISOString().slice(0, 19);
      const fraction = decimals === 0 ? '' : `.${'123'.slice(0, decimals)}`;
      const zone = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
      const text = `${local}${fraction}${zone}`;
      const expected = Date.parse(text);
      const read = parseInstant(text);
      if (expected < FIRST_INSTANT_MS || expected > LAST_INSTANT_MS) assert.equal(read.ok, false);
      else assert.deepEqual(read, { ok: true, value: expected });
    }),
    { numRuns: 1000 },
  );
});

test('a day is accepted exactly where the calendar has it', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9999 }), fc.nat({ max: 14 }), fc.nat({ max: 33 }), (year, month, day) => {
      const text = [String(year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join(
        '-',
      );
      const date = new Date(`${text}T00:00:00Z`);
      const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
      const read = parseDate(text);
      assert.deepEqual(read.ok ? read.value : read.code, exists ? date.getTime() / 86_400_000 : 'date-malformed');
      assert.equal(parseInstant(`${text}T00:00:00Z`).ok, exists);
    }),
    { numRuns: 2000 },
  );
});

test('dates are read back as they were written, and their order is the order of their days', () => {
  fc.assert(
    fc.property(anyDay, anyDay, (a, b) => {
      assert.deepEqual(parseDate(formatDate(a)), { ok: true, value: a });
      assert.equal(formatDate(a) < formatDate(b), a < b);
    }),
  );
});

test('a date is ten characters', () => {
  assert.deepEqual(parseDate('2026-11-24'), { ok: true, value: 20_781 });
  for (const text of [
    '',
    '2026-11-24T00:00:00Z',
    '2026-1-24',
    '20261124',
    '24.11.2026',
    '2026/11/24',
    '2026-11-24\n',
    '2026-02-29',
  ]) {
    const read = parseDate(text);
    assert.ok(!read.ok, text);
    assert.equal(read.code, 'date-malformed');
    assert.match(read.message, /\.$/);
  }
});

test('what is no instant of four-digit years is not written', () => {
  for (const instantMs of [0.5, Number.NaN, Number.POSITIVE_INFINITY, FIRST_INSTANT_MS - 1, LAST_INSTANT_MS + 1]) {
    assert.throws(() => formatInstant(instantMs), RangeError);
  }
  for (const days of [0.5, Number.NaN, -719_529, 2_932_897]) assert.throws(() => formatDate(days), RangeError);
  assert.equal(formatDate(-719_528), '0000-01-01');
  assert.equal(formatDate(2_932_896), '9999-12-31');
});
