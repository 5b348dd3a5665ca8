import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import { ENDPOINTS, parse } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import {
  authorization,
  get,
  isObject,
  lodge,
  lodgeBoth,
  perform,
  performAll,
  problemOf,
  startTestNetwork,
  type TestNetwork,
  until,
  valid,
} from './test-support.ts';

let network: TestNetwork;
let validator: Server;

before(async () => {
  validator = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(validator, 'listening');
  const address = validator.address();
  assert.ok(typeof address === 'object' && address !== null);
  const validators = (system: string, url: string) =>
    (sampleNetwork().validators[system] ?? []).map(({ key }) => ({ key, url }));
  network = await startTestNetwork({
    'central-bank-b': [{ id: 'rtgs', validators: validators('rtgs', `http://127.0.0.1:${address.port}`) }],
    'csd-b': [{ id: 'csd', validators: validators('csd', 'http://127.0.0.1:1') }],
  });
});

after(async () => {
  await network[Symbol.asyncDispose]();
  validator.close();
});

test('settlements, holds, attention and operations are counted as they come and go', async () => {
  assert.equal(await figure('linkspan_oldest_open_seconds'), 0);
  await lodge(url('central-bank-a'), network.instruction('COUNT-1'), 'c1');
  await becomes('linkspan_settlements{phase="proposed"}', 1);
  const { id } = await lodgeBoth(network, network.instruction('COUNT-2'));
  await becomes('linkspan_settlements{phase="preparing"}', 1);
  await performAll(network, id);
  await becomes('linkspan_settlements{phase="committed"}', 1);
  assert.equal(await figure('linkspan_settlements{phase="preparing"}'), 0);
  for (const [system, currency] of [
    ['rtgs', 'JPY'],
    ['csd', 'XS0000000009'],
    ['fcy-evm', 'USD'],
  ])
    assert.equal(await figure(`linkspan_holds_open{system="${system}",currency="${currency}"}`), 1, system);
  assert.equal(await figure('linkspan_operation_seconds_count{system="rtgs",verb="hold",outcome="effective"}'), 1);
  await perform(network, id, 'deliver/lcy', { amount: '1' });
  await becomes('linkspan_attention', 1);
  assert.ok(Number(await figure('linkspan_oldest_open_seconds')) > 0);
  await perform(network, id, 'deliver/fcy');
  await becomes('linkspan_holds_open{system="fcy-evm",currency="USD"}', 0);

  const { id: other } = await lodgeBoth(network, network.instruction('COUNT-3'));
  await performAll(network, other);
  await becomes('linkspan_settlements{phase="committed"}', 2);
  await performAll(network, other);
  await becomes('linkspan_settlements_ended_total{phase="settled"}', 1);
  assert.equal(await figure('linkspan_settlements{phase="committed"}'), 1);
  assert.equal(await figure('linkspan_holds_open{system="fcy-evm",currency="USD"}'), 0);
  assert.equal(await figure('linkspan_ledger_followed_block'), await figure('linkspan_ledger_height'));
});

test('after a restart what is open is counted again as it was', async () => {
  const names = /^linkspan_(settlements|holds_open|attention)[ {]/;
  const counted = async (): Promise<string[]> =>
    (await scrape()).filter((line) => names.test(line) && !line.endsWith(' 0')).toSorted();
  const before = await counted();
  assert.ok(before.length >= 4, before.join('\n'));
  await network.restart();
  assert.deepEqual(await counted(), before);
});

test('answers are measured by route, never by what a client made up', async () => {
  await get(url('csd-b'), '/settlements/NOTHING');
  await get(url('csd-b'), '/made/up');
  const text = (await scrape('csd-b')).join('\n');
  assert.match(
    text,
    /http_request_seconds_count\{organisation="csd-b",method="GET",route="\/settlements\/:id",status="404"\} [1-9]/,
  );
  assert.match(text, /route="none",status="404"/);
  assert.doesNotMatch(text, /made|NOTHING/);
});

test('readiness says what is missing: validators that are needed, not those of others', async () => {
  const ready = await get(url('central-bank-b'), '/readyz');
  assert.deepEqual([ready.status, ready.body], [200, { ready: true, missing: [] }]);
  valid(parse(ENDPOINTS.readiness.answer, ready.body, 'internal'));
  const answer = await get(url('csd-b'), '/readyz');
  assert.deepEqual([answer.status, problemOf(answer).code, answer.headers.get('retry-after')], [503, 'not-ready', '1']);
  const needed = network.sample.plan.calls.flatMap(({ body }) =>
    body.type === 'register-system' && body.system.id === 'csd' ? [body.system.validators] : [],
  )[0];
  assert.ok(needed && isObject(answer.body) && isObject(answer.body['details']));
  assert.deepEqual(answer.body['details']['missing'], [
    `0 of ${needed.keys.length} validators of csd answer, ${needed.threshold} are needed.`,
  ]);
});

function url(organisation: string): string {
  return network.urls[organisation] ?? '';
}

async function scrape(organisation = 'central-bank-a'): Promise<string[]> {
  const response = await fetch(`${url(organisation)}/metrics`, {
    headers: await authorization(url(organisation), 'monitor'),
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return (await response.text()).split('\n');
}

/** The number of a series, or undefined where it is not there. */
async function figure(series: string): Promise<number | undefined> {
  const line = (await scrape()).find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function becomes(series: string, wanted: number): Promise<void> {
  await until(
    () => figure(series),
    (found) => found === wanted,
  );
}
