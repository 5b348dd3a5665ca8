import { z } from 'zod';
import { identifierSchema, organisationSchema, quorumFor } from './genesis.ts';
import { type Hash, hashOf, hashSchema } from './hash.ts';
import { validatorsSchema } from './records.ts';
import { scenarioReferenceSchema } from './scenario-document.ts';
import { type CertificateKey, certificateKeySchema, type SigningKey, signingKeySchema } from './signature.ts';

/**
 * What can be changed of a network once it has begun. `rotate` gives an organisation new keys, `revoke` takes one away at once; the same for validators
 * of a system. What touches membership or certificate keys makes a new epoch; everything else happens as soon as it is approved.
 */
export const networkChangeSchema = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('admit'), organisation: organisationSchema }).readonly(),
  z.strictObject({ what: z.literal('remove'), organisation: identifierSchema }).readonly(),
  z
    .strictObject({
      what: z.literal('rotate'),
      organisation: identifierSchema,
      callKey: signingKeySchema.optional(),
      certificateKey: certificateKeySchema.optional(),
    })
    .readonly(),
  z
    .strictObject({ what: z.literal('rotate-validators'), system: identifierSchema, validators: validatorsSchema })
    .readonly(),
  z
    .strictObject({
      what: z.literal('revoke'),
      organisation: identifierSchema,
      key: z.union([signingKeySchema, certificateKeySchema]),
    })
    .readonly(),
  z.strictObject({ what: z.literal('revoke-validator'), system: identifierSchema, key: signingKeySchema }).readonly(),
  z
    .strictObject({ what: z.literal('retire-scenario'), scenario: scenarioReferenceSchema, hash: hashSchema })
    .readonly(),
]);
export type NetworkChange = z.infer<typeof networkChangeSchema>;

/** Under which a change is approved: the same change, proposed again in a later epoch, is another one. */
export function networkChangeId(network: Hash, epoch: number, change: NetworkChange): Hash {
  return hashOf({ schema: 'network-change/1', network, epoch, change });
}

/** An organisation in an epoch, with the key whose signatures on certificates count. */
export type Member = { readonly organisation: string; readonly certificateKey: CertificateKey };

/** Who signs certificates, from the beginning of an epoch to the next one's. */
export type Epoch = { readonly epoch: number; readonly quorum: number; readonly members: readonly Member[] };

/** The epoch that a change makes after another one, or undefined where it makes none. */
export function epochAfter({ epoch, members }: Epoch, change: NetworkChange): Epoch | undefined {
  const next = membersAfter(members, change);
  return next && { epoch: epoch + 1, quorum: quorumFor(next.length), members: next };
}

/** A key of an organisation or validator that a change brings in. */
export function keysBroughtBy(change: NetworkChange): readonly (SigningKey | CertificateKey)[] {
  switch (change.what) {
    case 'admit':
      return [change.organisation.callKey, change.organisation.certificateKey];
    case 'rotate':
      return [change.callKey, change.certificateKey].filter((key) => key !== undefined);
    default:
      return [];
  }
}

function membersAfter(members: readonly Member[], change: NetworkChange): readonly Member[] | undefined {
  switch (change.what) {
    case 'admit': {
      const { id, certificateKey } = change.organisation;
      return [...members, { organisation: id, certificateKey }];
    }
    case 'remove':
      return members.filter(({ organisation }) => organisation !== change.organisation);
    case 'rotate': {
      const { organisation, certificateKey } = change;
      if (certificateKey === undefined) return undefined;
      return members.map((member) =>
        member.organisation === organisation ? { organisation, certificateKey } : member,
      );
    }
    default:
      return undefined;
  }
}
