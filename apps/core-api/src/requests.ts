import type { Ledger } from '@linkspan/ledger';
import { type Hash, hashOf, invariant, refuse, type Result } from '@linkspan/protocol';

/** Who asks for a change: the `client` of the access token, whose Idempotency-Key it is, and its subject, the `actor` that the history will name. */
export type Sender = { readonly client: string; readonly actor: string; readonly key: string | undefined };

/** A request under its key, as the ledger records it; `body` is the hash of who asks and what. */
export type KeyedRequest = { readonly client: string; readonly key: string; readonly body: Hash };

/**
 * Does a piece of work once per client and Idempotency-Key. What was accepted once is done again with the same call, which the ledger answers as
 * it did at first. Refusals: `idempotency-key-missing`, `idempotency-key-reused` (the key came with another body), `request-in-progress`.
 */
export type Requests = {
  once<T>(
    sender: Sender,
    /** What the request is about; it must have a canonical form. */
    asked: unknown,
    work: (request: KeyedRequest, isRecorded: boolean) => Promise<Result<T>>,
  ): Promise<Result<T>>;
};

/** The ledger records the key of every accepted call for ever; what is under way this process knows. */
export function createRequests(organisation: string, ledger: Ledger): Requests {
  const underWay = new Map<string, Hash>();
  return {
    async once({ client, actor, key }, asked, work) {
      if (key === undefined || key === '')
        return refuse(
          'idempotency-key-missing',
          'Send a header Idempotency-Key: any text that you use for this one request only.',
        );
      if (!/^[\x20-\x7e]{1,100}$/.test(key))
        return refuse('request-invalid', 'An Idempotency-Key is at most 100 printable ASCII characters.');
      // Two persons who ask the same through one client are two requests: the second must not be given the first one's answer.
      const request = { client, key, body: hashOf({ actor, asked }) };
      const name = JSON.stringify([client, key]);
      const other = underWay.get(name);
      if (other === request.body)
        return refuse('request-in-progress', 'The same request is still under way; ask again for its answer.');
      if (other !== undefined) return refuseReused();
      underWay.set(name, request.body);
      try {
        const recorded = await ledger.evaluate('request', { organisation, client, key });
        invariant(recorded.ok, 'a request is never refused');
        if (recorded.value && recorded.value.body !== request.body) return refuseReused();
        return await work(request, recorded.value !== null);
      } finally {
        underWay.delete(name);
      }
    },
  };
}

function refuseReused(): Result<never> {
  return refuse(
    'idempotency-key-reused',
    'The Idempotency-Key was used with another body; use a new one for another request.',
  );
}
