/** Lets many callers wait for the next event about one of several ids. Knows nothing of what happened: who wakes looks for itself. */
export type WakeUp = {
  /** A promise that settles when any of the ids is called, or all are. Made before looking, so that nothing falls between. */
  next(ids: readonly string[]): { readonly called: Promise<void>; readonly cancel: () => void };
  call(id: string): void;
  callAll(): void;
};

export function createWakeUp(): WakeUp {
  const waiting = new Map<string, Set<() => void>>();
  return {
    next(ids) {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (const id of ids) {
        const set = waiting.get(id) ?? new Set();
        waiting.set(id, set.add(resolve));
      }
      function cancel(): void {
        for (const id of ids) {
          const set = waiting.get(id);
          set?.delete(resolve);
          if (set?.size === 0) waiting.delete(id);
        }
      }
      return { called: promise, cancel };
    },
    call: (id) => waiting.get(id)?.forEach((resolve) => resolve()),
    callAll: () => waiting.forEach((set) => set.forEach((resolve) => resolve())),
  };
}
