import type { NetworkDefinition } from '@linkspan/protocol';

/** The clients of every party that has an account in a system, and which of them operates an account. */
export function participantsOf(
  { parties, accounts }: NetworkDefinition,
  system: string,
): { readonly clients: readonly string[]; operatorOf(account: string): string[] } {
  const names = new Map(parties.map(({ lei, name }) => [lei, participantClient(name)]));
  const here = accounts.filter(({ id }) => id.startsWith(`${system}:`));
  const operatorOf = (account: string): string[] =>
    here.filter(({ id }) => id === `${system}:${account}`).flatMap(({ party }) => names.get(party) ?? []);
  return { clients: [...new Set(here.flatMap(({ party }) => names.get(party) ?? []))].toSorted(), operatorOf };
}

/** A participant's client in a domestic system, named after the party: `kita-bank`. */
export function participantClient(party: string): string {
  return party.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
