import { createHash } from 'node:crypto';
import type { EntryRead, SettlementRead } from './client.ts';

/**
 * Whether the entries of a history hash to each other and to its head, by hashing made here: SHA-256 over the members in order of their
 * names. What the API leaves out of an entry (its proposal, its settlement once matched, the machine's version) is filled in.
 */
export function checkHistory(
  { proposal, settlement, entries: count, head }: SettlementRead,
  entries: readonly EntryRead[],
): string[] {
  if (entries.length !== count) return [`its history has ${entries.length} entries of ${count}`];
  const wrong: string[] = [];
  entries.forEach(({ sequence, time, call, by, changes, state, previous }, i) => {
    if (sequence !== i + 1) wrong.push(`entry ${i + 1} of its history says that it is ${sequence}`);
    if (i === 0 && previous !== null) wrong.push('the first entry of its history names one before it');
    const next = entries[i + 1] ? entries[i + 1]?.previous : head;
    const fits = [null, settlement].some((known) =>
      MACHINES.some(
        (machine) =>
          next ===
          hashOf({
            proposal,
            settlement: known,
            sequence,
            time: Date.parse(time),
            machine,
            call,
            by,
            changes,
            state,
            previous,
          }),
      ),
    );
    if (!fits) wrong.push(`what follows entry ${sequence} of its history does not hash to it`);
  });
  return wrong;
}

const MACHINES = [1, 2, 3];

function hashOf(value: unknown): string {
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
