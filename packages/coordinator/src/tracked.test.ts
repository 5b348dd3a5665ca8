import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleInstruction, withVirtualNetwork } from '@linkspan/testkit';
import { writersOf } from './tracked.ts';

test('what begins together is written by one organisation, and load spreads over time', () =>
  withVirtualNetwork(async (network, time) => {
    const begun = await network.lodge(sampleInstruction('T-1', time.now()));
    const { state } = await network.view(begun);
    const [operation, ...others] = state.operations;
    assert.ok(operation);
    const atTurn = (turn: number, offMs: number) => {
      const moved = { ...operation, requestedAt: turn * 10_000 + offMs };
      return writersOf({ ...state, operations: [moved, ...others] }, []);
    };
    for (let turn = 0; turn < 20; turn++) assert.deepEqual(atTurn(turn, 0), atTurn(turn, 9999));
    const first = new Set(Array.from({ length: 50 }, (_, turn) => atTurn(turn, 0)[0]));
    assert.deepEqual(first, new Set(state.participants.map(({ owner }) => owner)));
  }));
