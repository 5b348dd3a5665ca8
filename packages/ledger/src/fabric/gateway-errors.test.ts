import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { Fault } from '@linkspan/protocol';
import { troubleOf } from './gateway-errors.ts';

test('a key that is away for now is asked again; any other error is nobody’s trouble here', () => {
  const away = new Fault('ledger-unavailable', 'The token is away.');
  assert.deepEqual(troubleOf(away, 'country-a'), { kind: 'unsettled', message: 'The token is away.' });
  for (const error of [new Fault('internal', 'Something broke.'), new TypeError('broken')])
    assert.throws(
      () => troubleOf(error, 'country-a'),
      (thrown) => thrown === error,
    );
});

test('an error that goes on for kilobytes is one sentence with the first cause', () => {
  const dial = 'connection error: desc = "transport: error while dialing:\n dial tcp 127.0.0.1:7300: refused" ';
  const long = Array.from({ length: 4 }, () => dial.repeat(9));
  const { kind, message } = troubleOf(said('failed to endorse', long), 'country-a');
  assert.equal(kind, 'unsettled');
  assert.match(
    message,
    /^failed to endorse: country-a: connection error: desc = "transport: error while dialing: dial/,
  );
  assert.ok(message.length <= 300 && message.endsWith('…'), String(message.length));
  assert.equal(
    troubleOf(said('failed to endorse', ['no', 'no', 'no']), 'country-a').message,
    'failed to endorse: country-a: no (and 2 more)',
  );
  assert.equal(troubleOf(said('14 UNAVAILABLE', [], status.UNAVAILABLE), 'country-a').message, '14 UNAVAILABLE');
});

test('what the own chaincode refused is found wherever it stands, another one’s decides nothing', () => {
  const refusal = 'chaincode response 500, clock|The clock is off.';
  assert.deepEqual(troubleOf(said('failed', ['dial tcp', refusal]), 'country-b'), {
    kind: 'chaincode',
    code: 'clock',
    message: 'The clock is off.',
  });
  assert.equal(troubleOf(said('failed', ['dial tcp', refusal]), 'country-a').kind, 'unsettled');
});

const cause = Object.assign(new Error('10 ABORTED'), { code: 10, details: '', metadata: JSON.parse('null') });

/** An error of the gateway as the peers of country-a, country-b and so on explain it. */
function said(message: string, details: readonly string[], code: number = status.ABORTED): GatewayError {
  return new GatewayError({
    code,
    message,
    cause,
    details: details.map((text, i) => ({ address: `peer-${i}`, mspId: `country-${'abcd'[i]}`, message: text })),
  });
}
