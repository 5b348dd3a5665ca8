import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './create-log.ts';

const SECRET = 'eyJhbGciOiJFZERTQSJ9.c2VjcmV0.c2lnbmF0dXJl';

test('no secret is logged, however it came into what is logged', () => {
  const lines: string[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(line) });
  const headers = {
    authorization: `Bearer ${SECRET}`,
    'proxy-authorization': SECRET,
    cookie: SECRET,
    accept: 'application/json',
  };
  const config = { clientSecret: SECRET, client_secret: SECRET, password: SECRET, privateKey: SECRET };
  const error = Object.assign(new Error('it failed'), {
    headers,
    request: { headers },
    response: { access_token: SECRET },
  });
  log.info(headers, 'headers themselves');
  log.info({ headers, config }, 'one below');
  log.info({ request: { headers }, organisations: { one: { authentication: config } } }, 'further below');
  log.error({ err: error }, 'an error that carries its request');
  log.error({ err: new Error('outer', { cause: error }) }, 'an error whose cause does');
  log.child({ organisation: 'csd-b', token: SECRET }).warn({ token: SECRET }, 'of an organisation');
  assert.equal(lines.length, 6);
  for (const line of lines) assert.ok(!line.includes(SECRET), line);
  assert.ok(lines.every((line) => !line.includes('authorization') || line.includes('[Redacted]')));
  assert.ok(lines[1]?.includes('application/json'), 'what is no secret is logged');
});
