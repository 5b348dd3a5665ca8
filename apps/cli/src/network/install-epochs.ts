import { accept, type EpochsBody, Fault, type NetworkDefinition } from '@linkspan/protocol';
import { createTokenSource } from '../access-token.ts';
import { createApiClient } from '../api-client.ts';
import { tokenAddress } from '../product/development-accounts.ts';
import type { Places } from '../product/places.ts';
import { installEpochData, readNumber, sendAsStranger } from './evm-transaction.ts';

type SignedEpoch = EpochsBody['epochs'][number]['forSystems'];

/** Brings epochs, in their order, to connected systems on this machine. What a system has already is left alone. */
export async function installEpochs(
  systems: NetworkDefinition['systems'],
  places: Places,
  epochs: readonly SignedEpoch[],
): Promise<void> {
  await Promise.all(systems.map(({ id, kind }) => (kind === 'evm' ? toChain : toWebApi)(id, places, epochs)));
}

/** A system with a Web API answers an epoch that it has as one that it takes. Whichever of its clients may bring one. */
async function toWebApi(system: string, places: Places, epochs: readonly SignedEpoch[]): Promise<void> {
  const url = places.urlOf(system);
  const tokens = createTokenSource({
    clientId: CLIENT,
    secret: () => ({ ok: true, value: places.secretOf(system, CLIENT) }),
    tokenEndpoint: `${url}/oauth/token`,
  });
  const api = createApiClient(url, { tokens });
  for (const epoch of epochs) {
    const taken = await api.post('/epochs', JSON.stringify(epoch), {}, () => accept(null));
    if (taken.ok) continue;
    const { title, detail } = taken.failure;
    throw new Fault('system-unavailable', `${system} did not take epoch ${epoch.epoch}: ${title}. ${detail}`);
  }
}

const CLIENT = 'auditor';

async function toChain(system: string, places: Places, epochs: readonly SignedEpoch[]): Promise<void> {
  const url = places.urlOf(system);
  const latest = await readNumber(url, tokenAddress(), 'latestEpoch()');
  for (const { epoch, quorum, signers, signatures } of epochs)
    if (epoch > latest) await sendAsStranger(url, tokenAddress(), installEpochData(epoch, quorum, signers, signatures));
}
