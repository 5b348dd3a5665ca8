import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { followEvents } from '../event-source.ts';
import type { Failure, Outcome } from '../failure.ts';
import { findSettlement } from '../find-settlement.ts';
import { phaseColour } from '../phase-colour.ts';
import { type LiveTerminal, paint, plain, shortTime } from '../terminal.ts';
import { Board } from '../watch/board.ts';
import { drawBoard } from '../watch/draw-board.ts';
import { followBoard, readBoard } from '../watch/follow-board.ts';
import { LiveScreen } from '../watch/live-screen.ts';

export const watch: Command = {
  name: 'watch',
  usage: '[ID] [--all] [--plain]',
  summary: 'settlements while they happen, on a live board',
  arguments: [0, 1],
  options: { all: { type: 'boolean' }, plain: { type: 'boolean' } },
  completes: { positionals: [() => 'settlement'] },
  help: [
    'Shows every settlement that is open, with its phase and stage, what became of each leg, the time that is left, and what waits for',
    'people. With ID (a trade id, a settlement id, or the beginning of one) only that one, with everything that happens to it. An end stays',
    'on the board for half a minute. A connection that breaks is made again and misses nothing. Ctrl-C ends it.',
    '',
    '  --all    settlements that have ended too',
    '  --plain  one line for each change instead of a board; so it is too where the output is no terminal',
    '  --json   one JSON document in a line for each change',
    '',
    'Signs: ◐ asked, ■ held, ● executed or delivered, □ released, ✗ dead or not as agreed.',
    '',
    'Examples:',
    '  linkspan watch',
    '  linkspan watch 2026-AB-000317',
    '  linkspan watch --all --plain >> changes.log',
  ],
  async run(invocation) {
    const { positionals, options, api, terminal } = invocation;
    const [id] = positionals;
    const found = id === undefined ? undefined : await findSettlement(api, id, '', answer(ENDPOINTS.settlement.answer));
    if (found && !found.ok) return found;
    const only = found?.value.proposal;
    const board = new Board({ ended: options['all'] === true, only });
    const read = await readBoard(api, board, options['all'] === true);
    if (!read.ok) return read;
    if (found) board.show(found.value);
    const failure =
      terminal.live && options['plain'] !== true && options['json'] !== true
        ? await watchLive(invocation, terminal.live, board, read.value)
        : await watchPlain(invocation, board, read.value, only);
    return failure ? { ok: false, failure } : ended();
  },
};

function ended(): Outcome<Shown> {
  return { ok: true, value: { document: undefined, lines: [] } };
}

async function watchLive(
  { api, apis, terminal, untilInterrupted, positionals }: Invocation,
  live: LiveTerminal,
  board: Board,
  from: number,
): Promise<Failure | undefined> {
  const signal = untilInterrupted();
  const title = apis.find((each) => each.api.url === api.url)?.name ?? api.url;
  using screen = new LiveScreen(live, ({ columns, rows }) =>
    drawBoard(board, {
      columns,
      rows,
      colours: terminal.colours,
      now: Date.now(),
      title,
      detailed: positionals.length > 0,
    }),
  );
  return await followBoard(api, board, from, { changed: () => screen.changed(), signal });
}

async function watchPlain(
  { api, terminal, options, untilInterrupted }: Invocation,
  board: Board,
  from: number,
  only: string | undefined,
): Promise<Failure | undefined> {
  const json = options['json'] === true;
  if (!json)
    for (const { tradeId, phase, changedAt } of board.items(Date.now()).toReversed()) {
      const since = shortTime(new Date(changedAt).toISOString());
      terminal.out(`${since}  ${plain(tradeId)}  ${paint(terminal, phaseColour(phase), phase)}`);
    }
  for await (const heard of followEvents(api, from, untilInterrupted())) {
    if (heard.what === 'refused') return heard.failure;
    if (heard.what === 'lost') terminal.error(`connection lost, trying again (${plain(heard.why)})`);
    if (heard.what !== 'change' || (only !== undefined && heard.change.proposal !== only)) continue;
    const { time, tradeId, words, document } = heard.change;
    if (json) terminal.out(JSON.stringify(document));
    else for (const line of words) terminal.out(`${shortTime(time)}  ${plain(tradeId)}  ${plain(line)}`);
  }
  return undefined;
}
