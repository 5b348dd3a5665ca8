import { formatInstant, type Hash } from '@linkspan/protocol';
import { describeChange, type Names, operationNamesIn } from '@linkspan/scenario';
import type { Evidence, SettlementEvidence } from './evidence.ts';

/** One line of a settlement's story: when and by whom, and what changed in the words of the field. */
export type StoryLine = {
  readonly sequence: number;
  readonly time: string;
  readonly by: string;
  readonly words: readonly string[];
};

/** What happened to a settlement, told from evidence that has been verified. */
export function tellStory(
  { settlement, entries }: Pick<SettlementEvidence, 'settlement' | 'entries'>,
  names: Names & { readonly network: Hash },
): StoryLine[] {
  const changes = entries.flatMap((entry) => entry.changes);
  const operations = settlement === null ? new Map() : operationNamesIn(names.network, settlement, changes);
  const named = { ...names, operations };
  return entries.map(({ sequence, time, by, changes }) => ({
    sequence,
    time: formatInstant(time),
    by: names.organisations.get(by.organisation) ?? by.organisation,
    words: changes.map((change) => describeChange(change, named)),
  }));
}

/** The network, and what the evidence itself calls organisations and the owners of accounts. */
export function namesIn({ network, genesis, environment }: Evidence): Names & { readonly network: Hash } {
  const parties = new Map<string, string>();
  const owners: (readonly [string, string])[] = [];
  for (const { call } of environment) {
    const { body } = call.call;
    if (body.type === 'register-party') parties.set(body.party.lei, body.party.name);
    if (body.type === 'register-account') owners.push([body.account.id, body.account.party]);
  }
  return {
    network,
    organisations: new Map(genesis.organisations.map(({ id, name }) => [id, name])),
    accounts: new Map(owners.map(([account, lei]) => [account, parties.get(lei) ?? account])),
  };
}
