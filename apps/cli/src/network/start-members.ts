import { Fault, invariant } from '@linkspan/protocol';
import { type LedgerMembers, membersOnLedger } from './ledger-members.ts';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { waitUntil } from './node-requests.ts';
import { type PreparedProduct, startProduct } from './product-processes.ts';

/**
 * Starts what does not run of every organisation's systems, validators and CoreAPI, and waits until each does its work. Whoever joined later has a CoreAPI
 * that starts as soon as the ledger has it as a member; it is said where the ledger has not.
 */
export async function startMembers(
  { organisations }: FabricNetwork,
  layout: NetworkLayout,
  prepared: PreparedProduct,
  say: (line: string) => void,
): Promise<void> {
  const { product } = prepared;
  const start = (each: FabricOrganisation): Promise<void> => startProduct(each, layout.organisation(each), prepared);
  const founders = organisations.filter(({ id }) => product.members[id] !== undefined);
  const joined = organisations.filter((each) => !founders.includes(each));
  // All at once: a CoreAPI is ready when a quorum of them answers, those of newcomers among them.
  const startJoined = async (): Promise<void> => {
    if (joined.length === 0) return;
    const speakers = founders.flatMap((each) => product.memberOf(each) ?? []);
    const { organisations: members, removed } = await waitForMembers(speakers, prepared);
    const isMember = (each: FabricOrganisation): boolean => members.some(({ id }) => id === product.memberOf(each));
    for (const each of joined.filter((one) => !isMember(one))) {
      const has = removed.includes(product.memberOf(each) ?? '') ? 'remove-organisation' : 'add-organisation';
      say(
        `${each.id} is no member of the ledger and has no CoreAPI. What was begun ends by network ${has} ${each.id}.`,
      );
    }
    await Promise.all(joined.filter(isMember).map(start));
  };
  await Promise.all([...founders.map(start), startJoined()]);
}

async function waitForMembers(speakers: readonly string[], prepared: PreparedProduct): Promise<LedgerMembers> {
  let found: LedgerMembers | undefined;
  await waitUntil('A CoreAPI that tells who is a member', async () => {
    try {
      found = await membersOnLedger(speakers, prepared);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
    return found !== undefined;
  });
  invariant(found, 'it is waited for');
  return found;
}
