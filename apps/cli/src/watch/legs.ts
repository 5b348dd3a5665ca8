import { REASONS, type SettlementBody } from '@linkspan/protocol';
import { type Colour, grouped } from '../terminal.ts';

type Operation = SettlementBody['operations'][number];

/** What became of one leg of a trade, by the last thing that was asked about it. */
export type Leg = {
  readonly name: string;
  readonly system: string;
  readonly amount: string;
  readonly asset: string;
  readonly state: string;
  readonly sign: string;
  readonly colour: Colour;
};

/** The legs of a settlement in the order in which they were first asked for. */
export function legsOf({ operations }: SettlementBody): Leg[] {
  const names = [...new Set(operations.map(({ name }) => legName(name)))];
  return names.flatMap((name) => {
    const about = operations.filter((operation) => legName(operation.name) === name);
    const last = about.at(-1);
    if (!last) return [];
    const { amount, quantity, currency, isin } = { ...about[0]?.terms, ...last.terms };
    return [
      {
        name,
        system: last.system,
        amount: grouped(quantity ?? amount ?? ''),
        asset: isin ?? currency ?? '',
        ...stateOf(last),
      },
    ];
  });
}

/** The stage that is under way: the one of the last operation that is open, otherwise of the last. */
export function stageOf({ operations }: SettlementBody): string {
  const open = operations.findLast(({ status }) => status === 'requested') ?? operations.at(-1);
  return open?.name.split('/')[0] ?? '';
}

/** `earmark/fcy release` is about the leg fcy. */
function legName(operation: string): string {
  return (operation.split('/')[1] ?? operation).replace(/ .*$/, '');
}

/** While it is asked for, and once it took effect. */
const WORDS: Readonly<Record<Operation['verb'], readonly [string, string]>> = {
  hold: ['asked to hold', 'held'],
  execute: ['executing', 'executed'],
  deliver: ['delivering', 'delivered'],
  release: ['releasing', 'released'],
  transfer: ['transferring', 'transferred'],
  mint: ['minting', 'minted'],
  burn: ['burning', 'burned'],
  'settle-dvp': ['asked to settle', 'settled'],
  await: ['awaited', 'seen'],
};

function stateOf({ verb, status, fenced, reason, byPeople }: Operation): Pick<Leg, 'state' | 'sign' | 'colour'> {
  const [asked, done] = WORDS[verb];
  switch (status) {
    case 'requested':
      return { state: fenced ? 'being fenced' : asked, sign: '◐', colour: 'yellow' };
    case 'effective':
      if (verb === 'hold') return { state: done, sign: '■', colour: 'cyan' };
      return { state: done, sign: verb === 'release' ? '□' : '●', colour: verb === 'release' ? 'dim' : 'green' };
    case 'irregular':
      return { state: `${done} otherwise`, sign: '✗', colour: 'red' };
    case 'dead':
      if (byPeople) return { state: 'dead by people', sign: '✗', colour: 'red' };
      return { state: reason === '' ? 'dead' : `dead: ${REASONS[reason] ?? reason}`, sign: '✗', colour: 'red' };
  }
}
