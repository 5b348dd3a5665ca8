import { test } from 'node:test';
import { closings } from './conformance/closings.ts';
import { faults } from './conformance/faults.ts';
import { holdsAndFences } from './conformance/holds.ts';
import { streams } from './conformance/streams.ts';
import type { ConformanceSystem } from './conformance/system.ts';

export type { ConformanceSystem } from './conformance/system.ts';
export { createFaultyProxy, type FaultyProxy } from './conformance/proxy.ts';

/**
 * What every connector must do, shown against a real system: registers one test per group of rules with `node:test`. `setup` starts the system,
 * which is the suite's alone and is disposed of at the end.
 */
export function connectorConformance(name: string, setup: () => Promise<ConformanceSystem>): void {
  test(`connector conformance: ${name}`, async (t) => {
    await using system = await setup();
    await t.test('holds and fences', (group) => holdsAndFences(group, system));
    await t.test('what ends a hold', (group) => closings(group, system));
    await t.test('events', (group) => streams(group, system));
    await t.test('faults', (group) => faults(group, system));
  });
}
