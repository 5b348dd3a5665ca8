import type { Verb } from '@linkspan/protocol';

/** What undoes an effect of a verb; null where nothing does. Authors never write the way back: it follows from here. */
export const INVERSE: Readonly<Record<Verb, Verb | null>> = {
  hold: 'release',
  mint: 'burn',
  burn: 'mint',
  transfer: null,
  execute: null,
  deliver: null,
  release: null,
  'settle-dvp': null,
  await: null,
};

type StageKind = 'prepare' | 'pivot' | 'complete';

/** In which kinds of stage a verb may stand. */
export const ALLOWED: Readonly<Record<Verb, readonly StageKind[]>> = {
  hold: ['prepare'],
  mint: ['prepare', 'complete'],
  burn: ['prepare', 'complete'],
  transfer: ['pivot'],
  execute: ['complete'],
  deliver: ['complete'],
  release: [],
  'settle-dvp': ['pivot', 'complete'],
  await: ['prepare', 'pivot'],
};
