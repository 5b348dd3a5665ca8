import type { Phase } from '@linkspan/protocol';
import type { ActionName } from './actions.ts';
import type { GuardName } from './guards.ts';
import type { Purpose } from './settlement.ts';

/** An event as the table knows it: an outcome is named by what its operation is for and how it turned out. */
export type EventName =
  | 'lodge'
  | 'retract'
  | 'expire'
  | 'cancel'
  | 'disagree'
  | 'contradict'
  | `${Purpose} ${'effective' | 'irregular' | 'dead'}`;

/** One row: in which phases, on which events, under which guards; where it leads and what it does. The first row that fits decides. */
export type Row = {
  readonly phase: readonly Phase[];
  readonly event: readonly EventName[];
  readonly when: readonly GuardName[];
  readonly next: Phase | 'same';
  readonly then: readonly ActionName[];
  /** For an abort: why, in words for people. */
  readonly because?: string;
};

const PREPARED: readonly EventName[] = ['prepare effective', 'prepare irregular', 'prepare dead'];
const EVERYWHERE: readonly Phase[] = [
  'proposed',
  'preparing',
  'deciding',
  'committed',
  'aborting',
  'settled',
  'cancelled',
  'rejected',
];

/** The settlement protocol. An event that fits no row is refused with the state it met. */
export const TABLE: readonly Row[] = [
  // Instructions are lodged until every debited side has the same one.
  { phase: ['proposed'], event: ['lodge'], when: ['matched'], next: 'preparing', then: ['request-next-stage'] },
  { phase: ['proposed'], event: ['lodge'], when: ['copies-differ'], next: 'same', then: ['show-differences'] },
  { phase: ['proposed'], event: ['lodge'], when: [], next: 'same', then: [] },
  { phase: ['proposed'], event: ['retract'], when: [], next: 'rejected', then: [] },
  { phase: ['proposed'], event: ['expire'], when: ['deadline-passed'], next: 'rejected', then: [] },

  // Everything that can be undone is done; the first thing that goes wrong, or is late, aborts.
  {
    phase: ['preparing'],
    event: PREPARED,
    when: ['deadline-passed'],
    next: 'aborting',
    then: ['abort'],
    because: 'the deadline passed',
  },
  {
    phase: ['preparing'],
    event: ['cancel'],
    when: ['deadline-passed'],
    next: 'aborting',
    then: ['abort'],
    because: 'the deadline passed',
  },
  {
    phase: ['preparing'],
    event: ['disagree', 'contradict'],
    when: ['deadline-passed'],
    next: 'aborting',
    then: ['raise-evidence', 'abort'],
    because: 'the deadline passed',
  },
  {
    phase: ['preparing'],
    event: ['prepare dead'],
    when: [],
    next: 'aborting',
    then: ['abort'],
    because: 'an operation is dead',
  },
  {
    phase: ['preparing'],
    event: ['prepare irregular'],
    when: [],
    next: 'aborting',
    then: ['abort'],
    because: 'an operation took effect with other terms',
  },
  {
    phase: ['preparing'],
    event: ['prepare effective'],
    when: ['stage-incomplete'],
    next: 'same',
    then: ['settle-subject'],
  },
  {
    phase: ['preparing'],
    event: ['prepare effective'],
    when: ['more-prepare-stages'],
    next: 'same',
    then: ['settle-subject', 'request-next-stage'],
  },
  {
    phase: ['preparing'],
    event: ['prepare effective'],
    when: ['pivot-is-ledger'],
    next: 'committed',
    then: ['settle-subject', 'commit', 'request-complete-stage'],
  },
  {
    phase: ['preparing'],
    event: ['prepare effective'],
    when: [],
    next: 'deciding',
    then: ['settle-subject', 'proceed', 'request-next-stage'],
  },
  {
    phase: ['preparing'],
    event: ['expire'],
    when: ['deadline-passed'],
    next: 'aborting',
    then: ['abort'],
    because: 'the deadline passed',
  },
  {
    phase: ['preparing'],
    event: ['cancel'],
    when: ['all-parties-cancel'],
    next: 'aborting',
    then: ['abort'],
    because: 'all parties cancelled',
  },
  { phase: ['preparing'], event: ['cancel'], when: [], next: 'same', then: [] },

  // Only the pivot's own outcome decides, however late it comes.
  {
    phase: ['deciding'],
    event: ['pivot effective'],
    when: [],
    next: 'committed',
    then: ['settle-subject', 'commit', 'request-complete-stage'],
  },
  {
    phase: ['deciding'],
    event: ['pivot dead'],
    when: [],
    next: 'aborting',
    then: ['settle-subject', 'abort'],
    because: 'the deciding operation is dead',
  },
  { phase: ['deciding'], event: ['pivot irregular'], when: [], next: 'same', then: ['raise-irregular'] },
  {
    phase: ['deciding'],
    event: ['expire'],
    when: ['deadline-passed', 'pivot-not-fenced'],
    next: 'same',
    then: ['fence-pivot'],
  },

  // After commit nothing is undone; what does not work is tried again and people are told.
  {
    phase: ['committed'],
    event: ['complete effective'],
    when: ['stage-complete', 'more-complete-stages'],
    next: 'same',
    then: ['settle-subject', 'request-next-stage'],
  },
  { phase: ['committed'], event: ['complete effective'], when: [], next: 'same', then: ['settle-subject'] },
  { phase: ['committed'], event: ['complete dead'], when: [], next: 'same', then: ['raise-dead', 'try-again'] },
  { phase: ['committed'], event: ['complete irregular'], when: [], next: 'same', then: ['raise-irregular'] },

  // Everything that took effect is undone; what is in doubt waits for its own fence.
  {
    phase: ['aborting'],
    event: ['prepare effective', 'prepare irregular', 'pivot effective', 'pivot irregular'],
    when: [],
    next: 'same',
    then: ['settle-subject', 'undo'],
  },
  {
    phase: ['aborting'],
    event: ['prepare dead', 'pivot dead', 'inverse effective'],
    when: [],
    next: 'same',
    then: ['settle-subject'],
  },
  { phase: ['aborting'], event: ['inverse dead'], when: [], next: 'same', then: ['raise-dead', 'try-again'] },
  { phase: ['aborting'], event: ['inverse irregular'], when: [], next: 'same', then: ['raise-irregular'] },

  // A deadline only raises attention once the outcome is decided.
  {
    phase: ['deciding', 'committed', 'aborting'],
    event: ['expire'],
    when: ['something-overdue'],
    next: 'same',
    then: ['raise-overdue'],
  },
  { phase: EVERYWHERE, event: ['disagree', 'contradict'], when: [], next: 'same', then: ['raise-evidence'] },
];

/** Phases that end by themselves as soon as nothing is open in them, looked at after every row. */
export const ENDINGS: readonly { readonly phase: Phase; readonly when: readonly GuardName[]; readonly next: Phase }[] =
  [
    { phase: 'committed', when: ['stage-complete', 'last-stage'], next: 'settled' },
    { phase: 'aborting', when: ['all-closed'], next: 'cancelled' },
  ];
