import assert from 'node:assert/strict';
import { test } from 'node:test';
import { troubleWithFiles } from './readiness.ts';

const DAY_MS = 86_400_000;

test('a certificate that ends soon is named once, by the organisation that presents it and by no other', () => {
  const soon = { file: '/a/a.pem', endsAtMs: 3 * DAY_MS };
  const files = () => ({
    broken: [],
    certificates: [
      soon,
      soon,
      soon,
      { file: '/b/b.pem', endsAtMs: DAY_MS },
      { file: '/a/late.pem', endsAtMs: 90 * DAY_MS },
    ],
  });
  assert.deepEqual(troubleWithFiles({ files, certificateFiles: ['/a/a.pem', '/a/late.pem'] }, 0), [
    { words: 'The certificate a.pem ends in 3 days, on 1970-01-04T00:00:00.000Z: renew it.', isNeeded: false },
  ]);
  assert.deepEqual(troubleWithFiles({ files, certificateFiles: [] }, 0), []);
  const renewal = troubleWithFiles({ files: () => ({ broken: ['x'], certificates: [] }), certificateFiles: [] }, 0);
  assert.deepEqual(
    renewal.map(({ words }) => words),
    ['A renewed file cannot be used and the former one stays in use: the log says why.'],
  );
});
