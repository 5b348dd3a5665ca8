import type { NetworkView } from '@linkspan/contract';
import type { OrganisationSigners } from '@linkspan/coordinator';
import { readKeyFile } from '@linkspan/keys';
import { Fault, type Genesis, type Organisation } from '@linkspan/protocol';
import type { OrganisationConfig } from './config.ts';

/**
 * An organisation's keys: of those in its files, the ones that the ledger names are used, and the others stand ready for a change of the network. With
 * others alone nothing that it says would be accepted, so that it does not start. Throws a Fault `configuration-invalid`.
 */
export function readSigners(
  { id, keyFile, nextKeyFile }: Pick<OrganisationConfig, 'id' | 'keyFile' | 'nextKeyFile'>,
  genesis: Genesis,
  network: NetworkView | null,
): OrganisationSigners {
  const files = [keyFile, ...(nextKeyFile === undefined ? [] : [nextKeyFile])];
  const member = memberOf(id, genesis, network);
  const keys = files.map(readKeyFile);
  const calls = keys.flatMap(({ ed25519 }) => ed25519 ?? []);
  const certificates = keys.flatMap(({ secp256k1 }) => secp256k1 ?? []);
  const call = calls.find(({ key }) => key === member.callKey);
  const certificate = certificates.find(({ key }) => key === member.certificateKey);
  if (!call || !certificate) {
    const where = files.length === 1 ? `The key file ${keyFile} does` : `The key files ${files.join(' and ')} do`;
    const named = network ? 'the network' : 'the genesis';
    throw new Fault('configuration-invalid', `${where} not hold the two keys of ${id} that ${named} names.`);
  }
  return {
    call,
    certificate,
    nextCall: calls.find((each) => each !== call),
    nextCertificate: certificates.find((each) => each !== certificate),
  };
}

/** Who has left keeps the keys that it had: its systems may have to end what they hold. */
function memberOf(id: string, genesis: Genesis, network: NetworkView | null): Organisation {
  const isIt = (each: Organisation): boolean => each.id === id;
  const member = network?.organisations.find(isIt) ?? genesis.organisations.find(isIt);
  if (member) return member;
  const whole = network ? 'The network' : 'The genesis';
  throw new Fault('configuration-invalid', `${whole} has no organisation ${id}.`);
}
