import { ENDPOINTS, ENDS, PHASES } from '@linkspan/protocol';
import { answer, type ApiClient } from '../api-client.ts';
import { followEvents } from '../event-source.ts';
import type { Failure, Outcome } from '../failure.ts';
import type { Board } from './board.ts';

/** How many settlements of a phase are read at the start, and how many are read at once later. */
const PAGE = 100;
const AT_ONCE = 4;

/** Reads what stands now. What happens after the block that it gives is in the stream. */
export async function readBoard(api: ApiClient, board: Board, all: boolean): Promise<Outcome<number>> {
  const health = await api.get(ENDPOINTS.health.path, answer(ENDPOINTS.health.answer));
  if (!health.ok) return health;
  board.block = health.value.height;
  const open = PHASES.filter((phase) => !ENDS.includes(phase)).map((phase) => `&phase=${phase}`);
  const pages = await Promise.all(
    (all ? ['', ...open] : open).map((filter) =>
      api.get(`${ENDPOINTS.settlements.path}?limit=${PAGE}${filter}`, answer(ENDPOINTS.settlements.answer)),
    ),
  );
  for (const page of pages) {
    if (!page.ok) return page;
    for (const summary of page.value.settlements) board.addSummary(summary);
  }
  return { ok: true, value: health.value.height };
}

/** Keeps a board as the stream and the API tell, until the signal fires or the API refuses; `changed` is called after each change. */
export async function followBoard(
  api: ApiClient,
  board: Board,
  from: number,
  { changed, signal }: { readonly changed: () => void; readonly signal: AbortSignal },
): Promise<Failure | undefined> {
  const readers = new Map<string, Promise<void>>();
  const read = async (proposal: string): Promise<void> => {
    const path = ENDPOINTS.settlement.path.replace(':id', encodeURIComponent(proposal));
    const found = await api.get(path, answer(ENDPOINTS.settlement.answer));
    if (found.ok) board.show(found.value);
    else board.passOver(proposal);
  };
  const refresh = (): void => {
    for (const proposal of board.stale(Date.now())) {
      if (readers.size >= AT_ONCE || signal.aborted) return;
      if (readers.has(proposal)) continue;
      readers.set(
        proposal,
        read(proposal).then(() => {
          readers.delete(proposal);
          changed();
          refresh();
        }),
      );
    }
  };
  refresh();
  for await (const heard of followEvents(api, from, signal)) {
    if (heard.what === 'refused') return heard.failure;
    if (heard.what === 'change') board.hear(heard.change);
    else board.connection = heard.what;
    refresh();
    changed();
  }
  return undefined;
}
