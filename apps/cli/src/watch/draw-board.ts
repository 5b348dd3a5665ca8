import type { Phase } from '@linkspan/protocol';
import { peoplesWord } from '../peoples-word.ts';
import { phaseColour } from '../phase-colour.ts';
import { spanOf } from '../span.ts';
import { type Colour, paint, plain } from '../terminal.ts';
import { cutEnd, cutMiddle, pad, widthOf } from '../text-width.ts';
import { type Board, isEnd, type Item } from './board.ts';
import { type Leg, legsOf, stageOf } from './legs.ts';

export type Canvas = {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
  /** UTC milliseconds. */
  readonly now: number;
  /** Whose view it is. */
  readonly title: string;
  /** One settlement is shown, with what happened to it. */
  readonly detailed: boolean;
};

/** A piece of a line with a colour; widths are counted without it. */
type Piece = { readonly text: string; readonly colour?: Colour | undefined };

/** The lines of a whole screen: exactly as many as fit or fewer, none wider than it. */
export function drawBoard(board: Board, canvas: Canvas): string[] {
  const items = board.items(canvas.now);
  const head = headLines(board, items, canvas);
  const room = canvas.rows - head.length - 1;
  const blocks = layOut(items, canvas, room);
  const shown: (readonly Piece[])[] = [];
  let left = items.length;
  for (const block of blocks) {
    const needed = block.length + (left > 1 ? 1 : 0);
    if (shown.length + needed > room) break;
    shown.push(...block);
    left -= 1;
  }
  if (left > 0) shown.push([{ text: ` … and ${left} more`, colour: 'dim' }]);
  if (items.length === 0) shown.push([{ text: ' Nothing is open. What is lodged appears here.', colour: 'dim' }]);
  const foot: Piece[] = [{ text: ' Ctrl-C ends', colour: 'dim' }];
  const filler = Math.max(0, canvas.rows - head.length - shown.length - 1);
  const lines: (readonly Piece[])[] = [...head, ...shown, ...Array.from({ length: filler }, () => []), foot];
  return lines.slice(0, canvas.rows).map((line) => render(line, canvas));
}

function headLines(board: Board, items: readonly Item[], canvas: Canvas): Piece[][] {
  const open = items.filter(({ phase }) => !isEnd(phase)).length;
  const alarms = items.filter(({ attention, phase }) => attention > 0 && !isEnd(phase)).length;
  const clock = `${new Date(canvas.now).toISOString().slice(11, 19)} UTC `;
  const left: Piece[] = [
    { text: ` ${plain(canvas.title)}`, colour: 'bold' },
    { text: `   ${open} open`, colour: open > 0 ? undefined : 'dim' },
    ...(alarms > 0 ? [{ text: `   ${alarms} need${alarms === 1 ? 's' : ''} people`, colour: 'red' as const }] : []),
    { text: `   block ${board.block}`, colour: 'dim' },
  ];
  const lost: Piece[] = board.connection === 'lost' ? [{ text: ' connection lost, trying again', colour: 'red' }] : [];
  const space = canvas.columns - sum([...left, ...lost]) - clock.length;
  const gap: Piece[] = space >= 1 ? [{ text: ' '.repeat(space) }, { text: clock, colour: 'dim' }] : [];
  return [[...left, ...(lost.length > 0 ? [{ text: '  ' }, ...lost] : []), ...shrunk(gap, lost)], [{ text: '' }]];
}

/** The two columns before a notice are taken from the gap. */
function shrunk(gap: readonly Piece[], lost: readonly Piece[]): readonly Piece[] {
  const [space, clock] = gap;
  return lost.length === 0 || !space || !clock ? gap : [{ text: space.text.slice(2) }, clock];
}

/** Each settlement with its legs below it where all fit so, otherwise each in one line. */
function layOut(items: readonly Item[], canvas: Canvas, room: number): Piece[][][] {
  const widths = widthsOf(items);
  const tall = items.map((item) => tallBlock(item, widths, canvas));
  const total = tall.reduce((rows, block) => rows + block.length, 0);
  return total <= room || canvas.detailed ? tall : items.map((item) => [compactLine(item, widths, canvas)]);
}

type Widths = {
  readonly trade: number;
  readonly leg: number;
  readonly system: number;
  readonly amount: number;
  readonly asset: number;
};

function widthsOf(items: readonly Item[]): Widths {
  const legs = items.flatMap(({ body }) => (body ? legsOf(body) : []));
  const widest = (texts: readonly string[], least: number, most: number): number =>
    Math.min(most, Math.max(least, ...texts.map((text) => widthOf(plain(text)))));
  return {
    trade: widest(
      items.map(({ tradeId }) => tradeId),
      8,
      28,
    ),
    leg: widest(
      legs.map(({ name }) => name),
      3,
      12,
    ),
    system: widest(
      legs.map(({ system }) => system),
      3,
      14,
    ),
    // Amounts are never cut.
    amount: widest(
      legs.map(({ amount }) => amount),
      1,
      Infinity,
    ),
    asset: widest(
      legs.map(({ asset }) => asset),
      3,
      14,
    ),
  };
}

function tallBlock(item: Item, widths: Widths, canvas: Canvas): Piece[][] {
  const { body } = item;
  const legs = body ? legsOf(body).map((leg) => legLine(leg, widths)) : [];
  const differs = body?.differences.map(({ path, values }) => {
    const sides = Object.entries(values).map(([side, value]) => `${side} ${value === '' ? 'nothing' : value}`);
    return [{ text: `   ${plain(path)}: ${plain(sides.join(', '))}`, colour: 'yellow' as const }];
  });
  const attention = (body?.attention ?? []).map(({ operation, reason, waitingFor }): Piece[] => [
    {
      text: plain(`   ! ${operation === undefined ? '' : `${operation} `}${reason}, waiting for ${waitingFor}`),
      colour: 'red',
    },
  ]);
  const people = (body ? peoplesWord(body) : []).map((words): Piece[] => [
    { text: plain(`   ${words}`), colour: 'yellow' },
  ]);
  const news = canvas.detailed
    ? [
        [],
        ...item.news.map(({ time, words }): Piece[] => [
          { text: `   ${time.slice(11, 19)}  `, colour: 'dim' },
          { text: plain(words) },
        ]),
      ]
    : [];
  return [titleLine(item, widths, canvas), ...legs, ...(differs ?? []), ...people, ...attention, ...news, []];
}

function titleLine(item: Item, widths: Widths, canvas: Canvas): Piece[] {
  const { tradeId, phase } = item;
  const stage = meaningOf(item);
  const start: Piece[] = [
    {
      text: ` ${pad(cutMiddle(plain(tradeId), widths.trade), widths.trade)}  `,
      colour: isEnd(phase) ? undefined : 'bold',
    },
    { text: pad(phase, PHASE_WIDTH), colour: phaseColour(phase) },
    { text: stage === '' ? '' : ` ${plain(stage)}`, colour: 'dim' },
  ];
  return spread(start, [whenOf(item, canvas.now), { text: ' ' }], canvas.columns);
}

/** What the phase alone does not say: whom it waits for, which stage is under way, why it ended so. */
function meaningOf({ phase, body }: Item): string {
  if (!body || body.phase !== phase) return '';
  if (phase === 'proposed') {
    const waitsFor = body.lodgers.filter((side) => !body.lodged.includes(side));
    return body.differences.length > 0 ? 'the sides differ' : `waits for ${waitsFor.join(', ')}`;
  }
  if (phase === 'settled') return '';
  return isEnd(phase) ? (body.decision?.because ?? '') : stageOf(body);
}

function legLine({ name, system, amount, asset, state, sign, colour }: Leg, widths: Widths): Piece[] {
  const [leg, place, what] = [
    [name, widths.leg],
    [system, widths.system],
    [asset, widths.asset],
  ].map(([text, width]) => pad(cutEnd(plain(String(text)), Number(width)), Number(width)));
  return [
    { text: `   ${leg}  ` },
    { text: `${place}  `, colour: 'dim' },
    { text: pad(amount, widths.amount, 'right') },
    { text: ` ${what}   ` },
    { text: `${sign} ${plain(state)}`, colour },
  ];
}

function compactLine(item: Item, widths: Widths, canvas: Canvas): Piece[] {
  const { tradeId, phase, attention, body } = item;
  const start: Piece[] = [
    {
      text: ` ${pad(cutMiddle(plain(tradeId), widths.trade), widths.trade)}  `,
      colour: isEnd(phase) ? undefined : 'bold',
    },
    { text: pad(phase, PHASE_WIDTH), colour: phaseColour(phase) },
    ...(body ? legsOf(body) : []).flatMap(({ name, sign, colour }) => [
      { text: `  ${plain(name)} ` },
      { text: sign, colour },
    ]),
    ...(attention > 0 ? [{ text: `  ! ${attention}`, colour: 'red' as const }] : []),
  ];
  return spread(start, [whenOf(item, canvas.now), { text: ' ' }], canvas.columns);
}

const PHASE_WIDTH = 9;
/** From here on a deadline is close. */
const CLOSE_MS = 10_000;

/** When it must be decided, or when it ended. A deadline says nothing any more once it is decided. */
function whenOf({ phase, deadline, changedAt }: Item, now: number): Piece {
  if (isEnd(phase)) return { text: `${spanOf(now - changedAt)} ago`, colour: 'dim' };
  if (!mustBeDecided(phase) || deadline === undefined) return { text: `for ${spanOf(now - changedAt)}`, colour: 'dim' };
  const left = deadline - now;
  if (left < 0) return { text: `deadline passed ${spanOf(-left)} ago`, colour: 'red' };
  return { text: `${spanOf(left)} left`, colour: left < CLOSE_MS ? 'yellow' : undefined };
}

function mustBeDecided(phase: Phase): boolean {
  return phase === 'proposed' || phase === 'preparing' || phase === 'deciding';
}

/** Two groups of pieces at both ends of a line; the left one yields where both do not fit. */
function spread(left: readonly Piece[], right: readonly Piece[], columns: number): Piece[] {
  const room = columns - sum(right) - 1;
  const fitted = fit(left, room);
  return [...fitted, { text: ' '.repeat(Math.max(1, columns - sum(fitted) - sum(right))) }, ...right];
}

function fit(pieces: readonly Piece[], width: number): Piece[] {
  const fitted: Piece[] = [];
  let used = 0;
  for (const piece of pieces) {
    const text = cutEnd(piece.text, width - used);
    used += widthOf(text);
    fitted.push({ ...piece, text });
    if (text !== piece.text) break;
  }
  return fitted;
}

function render(line: readonly Piece[], canvas: Canvas): string {
  return fit(line, canvas.columns)
    .map(({ text, colour }) => (colour === undefined || text === '' ? text : paint(canvas, colour, text)))
    .join('')
    .trimEnd();
}

function sum(pieces: readonly Piece[]): number {
  return pieces.reduce((width, { text }) => width + widthOf(text), 0);
}
