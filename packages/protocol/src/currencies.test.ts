import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CURRENCIES } from './currencies.ts';

function codesWith(digits: number | null): string {
  return [...CURRENCIES.values()]
    .filter((currency) => currency.digits === digits)
    .map((currency) => currency.code)
    .join(' ');
}

test('the table has the 178 codes of 2026, well formed, sorted and each with its own number', () => {
  assert.equal(CURRENCIES.size, 178);
  for (const [key, { code, numeric, name }] of CURRENCIES) {
    assert.equal(key, code);
    assert.match(code, /^[A-Z]{3}$/);
    assert.match(numeric, /^[0-9]{3}$/);
    assert.match(name, /^\S.*\S$/);
  }
  const codes = [...CURRENCIES.keys()];
  assert.deepEqual(codes, codes.toSorted());
  assert.equal(new Set([...CURRENCIES.values()].map(({ numeric }) => numeric)).size, 178);
});

test('every currency whose minor unit is not two digits is known by name', () => {
  assert.equal(codesWith(0), 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF');
  assert.equal(codesWith(3), 'BHD IQD JOD KWD LYD OMR TND');
  assert.equal(codesWith(4), 'CLF UYW');
  assert.equal(codesWith(null), 'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX');
});

test('changes since 2021 are in: new codes known, withdrawn codes unknown', () => {
  for (const code of ['SLE', 'VED', 'ZWG', 'XCG', 'XAD']) assert.ok(CURRENCIES.has(code), code);
  for (const code of ['HRK', 'CUC', 'SLL', 'ZWL', 'ANG', 'BGN']) assert.ok(!CURRENCIES.has(code), code);
});

test('Intl is no substitute: where it disagrees with ISO 4217 the table keeps to ISO', () => {
  for (const code of ['IDR', 'LAK', 'MMK']) assert.equal(CURRENCIES.get(code)?.digits, 2);
});
