import type { Phase } from '@linkspan/protocol';
import type { Colour } from './terminal.ts';

const COLOURS: Readonly<Record<Phase, Colour>> = {
  proposed: 'cyan',
  preparing: 'yellow',
  deciding: 'yellow',
  committed: 'yellow',
  aborting: 'yellow',
  settled: 'green',
  cancelled: 'red',
  rejected: 'red',
};

export function phaseColour(phase: Phase): Colour {
  return COLOURS[phase];
}
