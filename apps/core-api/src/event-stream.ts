import type { ServerResponse } from 'node:http';
import type { Ledger, LedgerEvent } from '@linkspan/ledger';
import { accept, formatInstant, problem, refuse, type Result } from '@linkspan/protocol';
import { describeChange, operationNames } from '@linkspan/scenario';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { accessOf } from './authentication/request-guard.ts';
import { accountsIn, type Directory } from './directory.ts';
import { headerText, refuseParameters } from './request-parts.ts';
import { sendProblem } from './problem-reply.ts';

/**
 * Answers with a stream, until the signal fires, the reader is gone or its access token expires: whoever may still read comes back with a new one and
 * goes on after the last event.
 */
export async function serveEvents(
  sources: { readonly ledger: Ledger; readonly directory: Directory },
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
  log: Logger,
): Promise<FastifyReply> {
  const { query, headers } = request;
  const known = refuseParameters(query, ['from']);
  if (!known.ok) return sendProblem(reply, known.refusal);
  const from = new Map(Object.entries(query ?? {})).get('from');
  const start = await streamStart(
    sources.ledger,
    headerText(headers['last-event-id']),
    from === undefined ? undefined : String(from),
  );
  if (!start.ok) return sendProblem(reply, start.refusal);
  const permittedMs = Math.max(0, Math.min(accessOf(request).expiresAt - Date.now(), LONGEST_STREAM_MS));
  const until = AbortSignal.any([signal, AbortSignal.timeout(permittedMs)]);
  reply.hijack();
  // Behind a body that nobody reads it would not be seen that the reader has gone.
  request.raw.resume();
  try {
    await streamEvents(reply.raw, sources, start.value, until);
  } catch (error) {
    // The stream has begun, so its status is sent; the reader comes back by itself and is told the reason then.
    if (!until.aborted) log.warn({ err: error }, 'an event stream ended');
  }
  return reply;
}

const LONGEST_STREAM_MS = 86_400_000;

/** Where a reader goes on: after event `index` of a block, counted from 0; -1 for all of the block. */
export type StreamPosition = { readonly block: number; readonly index: number };

/**
 * Where to begin: after the event that `Last-Event-ID` names, after the block in `?from=`, or at the end of the ledger. A position beyond the
 * ledger's end is refused: it belongs to another ledger, or to a later state of this one.
 */
export async function streamStart(
  ledger: Ledger,
  lastEventId: string | undefined,
  from: string | undefined,
): Promise<Result<StreamPosition>> {
  const height = await ledger.height();
  if (lastEventId !== undefined) {
    const [, block, index] = /^([0-9]{1,15})\.([0-9]{1,9})$/.exec(lastEventId) ?? [];
    if (block === undefined || index === undefined || Number(block) === 0)
      return refuse('request-invalid', 'Last-Event-ID is no id of an event of this stream.');
    if (Number(block) > height)
      return refuse('request-invalid', `Last-Event-ID names block ${block}, but the ledger ends at block ${height}.`);
    return accept({ block: Number(block), index: Number(index) });
  }
  if (from === undefined) return accept({ block: height + 1, index: -1 });
  const after = /^[0-9]{1,15}$/.test(from) ? Number(from) : Infinity;
  if (after <= height) return accept({ block: after + 1, index: -1 });
  const message = `"from" is the number of a block, at most ${height}.`;
  return refuse('request-invalid', message, { problems: [problem('/from', 'type-wrong', message)] });
}

/**
 * Writes every change of every settlement from a position on as server-sent events, until the signal fires or the reader is gone. The next block is
 * read from the ledger only after the last one has left, so a slow reader costs no memory.
 */
export async function streamEvents(
  response: ServerResponse,
  { ledger, directory }: { readonly ledger: Ledger; readonly directory: Directory },
  start: StreamPosition,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const ended = AbortSignal.any([signal, gone.signal]);
  response.once('close', () => gone.abort());
  response.on('error', () => gone.abort());
  // Whoever went away before now has closed the response already, and it closes only once.
  if (response.destroyed) gone.abort();
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // A stream ends with its connection: kept for another request it would hold up the closing of the server.
    connection: 'close',
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  // Silence would look like a dead connection to whatever stands between; a reader that is behind needs no comment.
  const keepAlive = setInterval(() => response.writableNeedDrain || response.write(': still here\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const event of ledger.events(start.block - 1, ended)) {
      const text = await blockText(event, { ledger, directory }, start);
      if (text !== '' && !response.write(text)) await drained(response, ended);
      if (ended.aborted) break;
    }
  } finally {
    clearInterval(keepAlive);
    // Whoever cannot be written to any more cannot be told goodbye either.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  }
}

const KEEP_ALIVE_MS = 15_000;
const RETRY_MS = 1_000;

async function blockText(
  event: LedgerEvent,
  { ledger, directory }: { readonly ledger: Ledger; readonly directory: Directory },
  start: StreamPosition,
): Promise<string> {
  const { block, time } = event;
  const operations = await namesOfOperations(event, ledger);
  const { names } = await directory.known({ accounts: accountsIn(event.events.flatMap(({ changes }) => changes)) });
  const lines = event.events.map(({ proposal, settlement, tradeId, sequence, phase, changes }, index) => {
    if (block === start.block && index <= start.index) return '';
    const words = changes.map((change) => describeChange(change, { ...names, operations }));
    const data = { block, time: formatInstant(time), proposal, settlement, tradeId, sequence, phase, changes, words };
    return `id: ${block}.${index}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`;
  });
  return lines.join('');
}

/** Only people's word is noted under the ids of operations, and people speak seldom: everything else is told without reading the ledger again. */
async function namesOfOperations({ events }: LedgerEvent, ledger: Ledger): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const { proposal, changes } of events) {
    if (!changes.some(({ what }) => what === 'opinion')) continue;
    const view = await ledger.evaluate('settlement', { id: proposal });
    if (!view.ok) continue;
    for (const [id, name] of operationNames(view.value.state)) all.set(id, name);
  }
  return all;
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
