import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillTemplate, textAt, valueAt } from './template.ts';

test('values stand where their names stood; a member whose value is absent is left out', () => {
  const template = {
    method: 'POST',
    path: '/holds/{hold}/execute',
    body: { operation: '{operation}', certificate: '{certificate}', kind: 'cash' },
  } as const;
  assert.deepEqual(fillTemplate(template, { hold: '0x1', operation: '0x2', certificate: { a: 1 } }), {
    method: 'POST',
    path: '/holds/0x1/execute',
    body: '{"operation":"0x2","certificate":{"a":1},"kind":"cash"}',
  });
  assert.equal(fillTemplate(template, { hold: '0x1' }).body, '{"kind":"cash"}');
});

test('a value cannot leave its place in the path', () => {
  const template = { method: 'GET', path: '/holds/{hold}' } as const;
  assert.equal(fillTemplate(template, { hold: '../accounts?x=1' }).path, '/holds/..%2Faccounts%3Fx%3D1');
  assert.throws(() => fillTemplate(template, {}), RangeError);
});

test('pointers lead into objects only, and never to what an object inherits', () => {
  const document = { a: { 'b/c': 'x', n: 7, f: 1.5 } };
  assert.equal(textAt(document, '/a/b~1c'), 'x');
  assert.equal(textAt(document, '/a/n'), '7');
  assert.equal(textAt(document, '/a/f'), undefined);
  assert.equal(textAt({ a: 'half \ud800' }, '/a'), undefined);
  assert.equal(valueAt(document, '/a/toString'), undefined);
  assert.equal(valueAt('text', '/length'), undefined);
});
