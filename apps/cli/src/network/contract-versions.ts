import { Fault } from '@linkspan/protocol';
import { type ChaincodeDefinition, newestDefinition } from './chaincode-definition.ts';
import type { NetworkChanger } from './channel-update.ts';
import { Administrator } from './lifecycle.ts';
import type { FabricNetwork } from './network-definition.ts';

/** Which version of the contract the channel has agreed on, and which one answers at each organisation. */
export type ContractVersions = {
  readonly agreed: ChaincodeDefinition | undefined;
  /** By the organisation's id; none where its contract gives no answer. */
  readonly running: ReadonlyMap<string, string>;
};

/** Fabric does not see the code that runs beside a peer. Each organisation's says what it is, and what all approved is the definition's version. */
export async function contractVersions(
  { programs, layout }: Pick<NetworkChanger, 'programs' | 'layout'>,
  network: FabricNetwork,
): Promise<ContractVersions> {
  const members = network.organisations.map((each) => ({
    id: each.id,
    administrator: new Administrator(programs, network, layout, each),
  }));
  const running = await Promise.all(
    members.map(async ({ id, administrator }): Promise<readonly (readonly [string, string])[]> => {
      try {
        return [[id, (await administrator.ask('version')).trim()]];
      } catch (error) {
        if (error instanceof Fault) return [];
        throw error;
      }
    }),
  );
  const agreed = await newestDefinition(members.map(({ administrator }) => administrator));
  return { agreed, running: new Map(running.flat()) };
}
