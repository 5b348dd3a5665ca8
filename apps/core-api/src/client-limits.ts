import { accept, refuse, type Result } from '@linkspan/protocol';

/** What one client may ask. `burst` requests may come at once after a silence; `concurrent` may be under way, event streams included. */
export type Limits = { readonly requestsPerSecond: number; readonly burst: number; readonly concurrent: number };

/** Far above what people and the samples ask, and below what would starve everybody else. */
export const DEFAULT_LIMITS: Limits = { requestsPerSecond: 1_000, burst: 2_000, concurrent: 256 };

/** Lets a client's request in, and gives what must be called when it is over; refuses it as `too-many-requests`. */
export type ClientLimits = { readonly enter: (client: string) => Result<Leave> };

/** `uncounted` takes the request back altogether, as if it had never come. */
export type Leave = (uncounted?: 'uncounted') => void;

/**
 * A token bucket and a count of what is under way per client. `now` is in milliseconds and never goes back. As many clients are remembered as have
 * something under way or a bucket that is not full, at most 10,000; beyond that unknown ones are refused.
 */
export function createClientLimits(limits: Limits, now: () => number, what = 'requests'): ClientLimits {
  const { requestsPerSecond, burst, concurrent } = limits;
  const clients = new Map<string, Client>();

  function refill(client: Client): void {
    const at = now();
    client.tokens = Math.min(burst, client.tokens + ((at - client.at) * requestsPerSecond) / 1000);
    client.at = at;
  }

  function remember(name: string): Client | undefined {
    if (clients.size >= MOST_CLIENTS) {
      for (const client of clients.values()) refill(client);
      for (const [known, { tokens, underWay }] of clients)
        if (underWay === 0 && tokens === burst) clients.delete(known);
      if (clients.size >= MOST_CLIENTS) return undefined;
    }
    const client = { tokens: burst, at: now(), underWay: 0 };
    clients.set(name, client);
    return client;
  }

  return {
    enter(name) {
      const client = clients.get(name) ?? remember(name);
      if (!client) return refuse('too-many-requests', 'Too many clients ask at once.');
      refill(client);
      if (client.underWay >= concurrent)
        return refuse('too-many-requests', `A client has at most ${concurrent} ${what} under way.`);
      if (client.tokens < 1)
        return refuse('too-many-requests', `A client begins at most ${requestsPerSecond} ${what} a second.`);
      client.tokens -= 1;
      client.underWay += 1;
      let over = false;
      return accept((uncounted) => {
        if (over) return;
        over = true;
        client.underWay -= 1;
        if (uncounted) client.tokens += 1;
      });
    },
  };
}

type Client = { tokens: number; at: number; underWay: number };

const MOST_CLIENTS = 10_000;
