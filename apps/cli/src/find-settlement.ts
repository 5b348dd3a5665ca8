import { ENDPOINTS, type Result } from '@linkspan/protocol';
import { answer, type ApiClient } from './api-client.ts';
import type { Outcome } from './failure.ts';

/**
 * Asks for a settlement by whatever its id is. Tables show only the beginning of ids, so where nothing has this name and it looks like such a
 * beginning, the newest settlements are searched for the one that begins with it.
 */
export async function findSettlement<T>(
  api: ApiClient,
  id: string,
  below: string,
  read: (body: unknown) => Result<T>,
): Promise<Outcome<T>> {
  const direct = await api.get(pathOf(id, below), read);
  if (direct.ok || direct.failure.exit !== NOT_FOUND) return direct;
  const digits = /^(?:sha256:)?([0-9a-f]{8,63})$/.exec(id)?.[1];
  if (digits === undefined) return direct;
  const page = await api.get(`${ENDPOINTS.settlements.path}?limit=500`, answer(ENDPOINTS.settlements.answer));
  if (!page.ok) return page;
  const beginning = `sha256:${digits}`;
  const [only, second] = page.value.settlements.filter((each) =>
    [each.proposal, each.settlement].some((one) => one?.startsWith(beginning)),
  );
  return only && !second ? api.get(pathOf(only.id, below), read) : direct;
}

const NOT_FOUND = 4;

function pathOf(id: string, below: string): string {
  return ENDPOINTS.settlement.path.replace(':id', encodeURIComponent(id)) + below;
}
