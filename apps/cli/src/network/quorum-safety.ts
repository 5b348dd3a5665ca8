import { Fault } from '@linkspan/protocol';
import { type FabricNetwork, type FabricOrganisation, votersOf } from './network-definition.ts';
import { ordererQuorum, orderersOf, peerHeight } from './node-standing.ts';

/**
 * Refuses a change of who votes unless those that stay and run now suffice both before and after it, without whoever joins or leaves: the network must
 * not stop because a newcomer fails. Throws a Fault `not-ready` that says what is missing. Gives an organisation whose nodes run, through which the
 * change can be made.
 */
export async function checkQuorum(now: FabricNetwork, then: FabricNetwork): Promise<FabricOrganisation> {
  const before = votersOf(now);
  const after = votersOf(then);
  const staying = before.filter(({ id }) => after.some((each) => each.id === id));
  const standing = await Promise.all(
    before.map(async (organisation) => {
      const [[orderer], height] = await Promise.all([
        orderersOf([organisation], now.channel),
        peerHeight(organisation, now.channel),
      ]);
      return {
        organisation,
        orders: orderer?.isConsenter === true && orderer.isActive,
        endorses: height !== undefined,
      };
    }),
  );
  const of = (members: readonly FabricOrganisation[]) =>
    standing.filter(({ organisation }) => members.includes(organisation));
  for (const [members, network] of [
    [before, now],
    [staying, then],
  ] as const) {
    const orderers = of(members).filter(({ orders }) => orders);
    const peers = of(members).filter(({ endorses }) => endorses);
    const voters = votersOf(network).length;
    const needed = ordererQuorum(now.consensus, voters);
    if (orderers.length < needed) throw tooFew('orderers', needed, voters, orderers.length, of(members), 'orders');
    if (peers.length < network.endorsements)
      throw tooFew('peers', network.endorsements, voters, peers.length, of(members), 'endorses');
  }
  const by = of(staying).find(({ orders, endorses }) => orders && endorses);
  if (!by) throw new Fault('not-ready', 'No organisation that stays has both its orderer and its peer running.');
  return by.organisation;
}

type Standing = { readonly organisation: FabricOrganisation; readonly orders: boolean; readonly endorses: boolean };

function tooFew(
  what: string,
  needed: number,
  voters: number,
  running: number,
  standing: readonly Standing[],
  does: 'orders' | 'endorses',
): Fault {
  const missing = standing.flatMap((each) => (each[does] ? [] : [each.organisation.id])).join(', ');
  return new Fault(
    'not-ready',
    `The change needs ${needed} of ${voters} ${what} that run already, and ${running} do${missing ? `; not those of ${missing}` : ''}.`,
  );
}
