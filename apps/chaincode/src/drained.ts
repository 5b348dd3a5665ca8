import { setTimeout as delay } from 'node:timers/promises';

/** What `fabric-shim` calls: with a stub for each transaction, for an answer. */
export type Chaincode<Stub, Answer> = {
  Init(stub: Stub): Promise<Answer>;
  Invoke(stub: Stub): Promise<Answer>;
};

/** A chaincode that can be asked to come to its end: what its peer has begun is answered first, for as long as `patienceMs`. */
export type Drained<Stub, Answer> = Chaincode<Stub, Answer> & { end(patienceMs: number): Promise<void> };

/** When a call comes back, its answer has been handed over, but not sent. */
const SENDING_MS = 100;

/** Counts what is under way, so that a peer that changes over to another version loses no answer of this one. */
export function drained<Stub, Answer>(
  chaincode: Chaincode<Stub, Answer>,
  sendingMs = SENDING_MS,
): Drained<Stub, Answer> {
  const running = new Set<Promise<Answer>>();
  return {
    Init: (stub) => chaincode.Init(stub),
    async Invoke(stub) {
      const answer = chaincode.Invoke(stub);
      running.add(answer);
      try {
        return await answer;
      } finally {
        running.delete(answer);
      }
    },
    async end(patienceMs) {
      if (running.size === 0) return;
      await Promise.race([Promise.allSettled(running), delay(patienceMs)]);
      await delay(sendingMs);
    },
  };
}
