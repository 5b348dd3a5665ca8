import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCoreApiTarget } from '../../tools/fuzz/core-api-target.ts';
import { startDomesticWebTarget } from '../../tools/fuzz/domestic-web-target.ts';
import { fuzzApi } from '../../tools/fuzz/fuzz-api.ts';
import { startValidatorTarget } from '../../tools/fuzz/validator-target.ts';

const MOST_HEAP_GROWTH_BYTES = 64 * 1024 * 1024;

for (const start of [startCoreApiTarget, startValidatorTarget, startDomesticWebTarget]) {
  test(`${start.name}: whatever is asked, there is a documented answer, and nothing stays behind`, async () => {
    await using target = await start();
    const report = await fuzzApi(target, { seed: 'test', cases: 2_000 });
    assert.deepEqual(report.findings, []);
    assert.equal(report.cases, 2_000);
    // A run in which nothing was accepted, or nothing refused, would prove nothing.
    for (const status of ['200', '400', '404', '422']) assert.ok((report.statuses[status] ?? 0) > 0, `${status}: none`);
    assert.ok(report.heapGrowth < MOST_HEAP_GROWTH_BYTES, `the heap grew by ${report.heapGrowth} bytes`);
    assert.equal(report.timers, 0, 'timers of requests that are over');
    // Connections that are kept for the next request, to the system behind a validator, are few.
    assert.ok(report.sockets < 64, `${report.sockets} sockets are open`);
  });
}
