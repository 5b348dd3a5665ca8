import type { NetworkView, RegisterView } from '@linkspan/contract';
import type { Ledger } from '@linkspan/ledger';
import {
  type Change,
  Fault,
  type Genesis,
  type Hash,
  invariant,
  type PartyRecord,
  type ScenarioDocument,
  type Terms,
} from '@linkspan/protocol';
import type { Names } from '@linkspan/scenario';

/** What the network has registered, at hand for answers to people. */
export type Known = {
  readonly network: Hash;
  readonly epoch: number;
  readonly genesis: Genesis;
  /** The members by now, and what has been taken from them. */
  readonly members: Pick<NetworkView, 'organisations' | 'current' | 'announced' | 'revoked' | 'removed'>;
  /** How many signatures make a certificate, by epoch. */
  readonly quorums: ReadonlyMap<number, number>;
  readonly register: RegisterView;
  readonly names: Names;
  readonly partyOfAccount: ReadonlyMap<string, PartyRecord>;
  readonly scenarios: ReadonlyMap<string, ScenarioDocument>;
};

/** What an answer needs to know by name; `current` for all that is registered by now. */
export type Needs = {
  readonly accounts?: readonly string[];
  readonly scenario?: string;
  readonly epochs?: readonly number[];
  readonly current?: true;
};

/**
 * The register in memory. What answers take from it by name never changes, it only becomes more, so it is read again only when something is needed that
 * is not known and the ledger has grown since. Throws a Fault `ledger-unavailable` while the network has no genesis.
 */
export type Directory = { known(needs?: Needs): Promise<Known> };

export function createDirectory(ledger: Ledger): Directory {
  let loaded: { readonly height: number; readonly known: Known } | undefined;
  let loading: Promise<Known> | undefined;
  const load = async (): Promise<Known> => {
    const height = await ledger.height();
    if (loaded?.height === height) return loaded.known;
    const known = await readRegister(ledger);
    loaded = { height, known };
    return known;
  };
  return {
    known: async (needs = { accounts: [] }) => {
      if (loaded && covers(loaded.known, needs)) return loaded.known;
      loading ??= load().finally(() => (loading = undefined));
      return loading;
    },
  };
}

/** Every account that changes name in their terms. */
export function accountsIn(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => ('terms' in change ? accountsOf(change.terms) : []));
}

function accountsOf({ from, to, account }: Terms): string[] {
  return [from, to, account].filter((id) => id !== undefined);
}

function covers(known: Known, { accounts = [], scenario, epochs = [], current }: Needs): boolean {
  return (
    current !== true &&
    epochs.every((epoch) => known.quorums.has(epoch)) &&
    accounts.every((id) => known.partyOfAccount.has(id)) &&
    (scenario === undefined || known.scenarios.has(scenario))
  );
}

async function readRegister(ledger: Ledger): Promise<Known> {
  const [network, register, epochs] = await Promise.all([
    ledger.evaluate('network', {}),
    ledger.evaluate('register', {}),
    ledger.evaluate('epochs', {}),
  ]);
  invariant(network.ok && register.ok && epochs.ok, 'the network and its register are never refused');
  if (!network.value) throw new Fault('ledger-unavailable', 'The ledger has no genesis yet.');
  const { id, epoch, genesis, organisations } = network.value;
  const parties = new Map(register.value.parties.map((party) => [party.lei, party]));
  const partyOfAccount = new Map(
    register.value.accounts.flatMap((account) => {
      const party = parties.get(account.party);
      return party ? [[account.id, party] as const] : [];
    }),
  );
  return {
    network: id,
    epoch,
    genesis,
    members: network.value,
    quorums: new Map([[1, genesis.quorum], ...epochs.value.map((each) => [each.epoch, each.quorum] as const)]),
    register: register.value,
    names: {
      organisations: new Map([...genesis.organisations, ...organisations].map((each) => [each.id, each.name])),
      accounts: new Map([...partyOfAccount].map(([account, party]) => [account, party.name])),
    },
    partyOfAccount,
    scenarios: new Map(
      register.value.scenarios.map(({ document }) => [`${document.name}@${document.version}`, document]),
    ),
  };
}
