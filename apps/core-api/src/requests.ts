import type { Ledger } from '@linkspan/ledger';
import { type Hash, hashOf, invariant, refuse, type Result } from '@linkspan/protocol';

/** Who asks for a change: `client` tells whose Idempotency-Key it is, `actor` is the person or program that the history will name. */
export type Sender = { readonly client: string; readonly actor: string; readonly key: string | undefined };

/** A request under its key, as the ledger records it. */
export type KeyedRequest = { readonly client: string; readonly key: string; readonly body: Hash };

/**
 * Does a piece of work once per client and Idempotency-Key. What was accepted once is done again with the same call, which the ledger answers as
 * it did at first. Refusals: `idempotency-key-missing`, `idempotency-key-reused` (the key came with another body), `request-in-progress`.
 */
export type Requests = {
  once<T>(
    sender: Sender,
    /** What the request is about; it must have a canonical form. */
    body: unknown,
    work: (request: KeyedRequest, isRecorded: boolean) => Promise<Result<T>>,
  ): Promise<Result<T>>;
};

/** The ledger records keys of lodged instructions for ever. Those of other calls are remembered by this process, the latest 10,000 of them. */
export function createRequests(organisation: string, ledger: Ledger): Requests {
  const underWay = new Map<string, Hash>();
  const done = new Map<string, Hash>();
  return {
    async once({ client, key }, subject, work) {
      if (key === undefined || key === '')
        return refuse(
          'idempotency-key-missing',
          'Send a header Idempotency-Key: any text that you use for this one request only.',
        );
      if (!/^[\x20-\x7e]{1,100}$/.test(key))
        return refuse('request-invalid', 'An Idempotency-Key is at most 100 printable ASCII characters.');
      const request = { client, key, body: hashOf(subject) };
      const name = JSON.stringify([client, key]);
      const other = underWay.get(name);
      if (other === request.body)
        return refuse('request-in-progress', 'The same request is still under way; ask again for its answer.');
      if (other !== undefined || isOther(done.get(name), request)) return refuseReused();
      underWay.set(name, request.body);
      try {
        const recorded = await ledger.evaluate('request', { organisation, client, key });
        invariant(recorded.ok, 'a request is never refused');
        if (isOther(recorded.value?.body, request)) return refuseReused();
        const result = await work(request, recorded.value !== null);
        if (result.ok) remember(done, name, request.body);
        return result;
      } finally {
        underWay.delete(name);
      }
    },
  };
}

const MOST_REMEMBERED = 10_000;

function remember(done: Map<string, Hash>, name: string, body: Hash): void {
  done.set(name, body);
  const [oldest] = done.keys();
  if (done.size > MOST_REMEMBERED && oldest !== undefined) done.delete(oldest);
}

function isOther(known: Hash | undefined, { body }: KeyedRequest): boolean {
  return known !== undefined && known !== body;
}

function refuseReused(): Result<never> {
  return refuse(
    'idempotency-key-reused',
    'The Idempotency-Key was used with another body; use a new one for another request.',
  );
}
