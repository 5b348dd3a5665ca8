import { allBytes, bytesAt, bytesField, numberAt } from '@linkspan/ledger';

/** The Config in a configuration block (common.Block). */
export function configIn(block: Uint8Array): Uint8Array {
  return bytesAt(block, 2, 1, 1, 2, 1);
}

/** The ConfigUpdate by which a configuration block came about; empty in the first one. */
export function updateIn(block: Uint8Array): Uint8Array {
  return bytesAt(block, 2, 1, 1, 2, 2, 1, 2, 1);
}

export function numberOfBlock(block: Uint8Array): bigint {
  return numberAt(bytesAt(block, 1), 1);
}

/** The channel that a ConfigUpdate is for. */
export function channelOf(update: Uint8Array): string {
  return textOf(bytesAt(update, 1));
}

/** What an organisation signs of an update: who it is and a nonce, and then the update. */
export type UpdateSignature = { readonly header: Uint8Array; readonly signature: Uint8Array };

/** A SignatureHeader in the name of a member with this certificate in PEM. */
export function signatureHeader(mspId: string, certificate: Uint8Array, nonce: Uint8Array): Uint8Array {
  const creator = Buffer.concat([bytesField(1, Buffer.from(mspId)), bytesField(2, certificate)]);
  return Buffer.concat([bytesField(1, creator), bytesField(2, nonce)]);
}

/** A ConfigSignature, the form in which organisations hand their signatures to whoever submits. */
export function encodeSignature({ header, signature }: UpdateSignature): Uint8Array {
  return Buffer.concat([bytesField(1, header), bytesField(2, signature)]);
}

/** The member service in whose name a ConfigSignature is. */
export function signerOf(configSignature: Uint8Array): string {
  return textOf(bytesAt(configSignature, 1, 1, 1));
}

/** The Envelope of a ConfigUpdate with its signatures, which `peer channel update` signs once more and submits. */
export function updateEnvelope(update: Uint8Array, configSignatures: readonly Uint8Array[]): Uint8Array {
  const channelHeader = Buffer.concat([CONFIG_UPDATE, bytesField(4, Buffer.from(channelOf(update)))]);
  const signed = [bytesField(1, update), ...configSignatures.map((each) => bytesField(2, each))];
  const payload = [bytesField(1, bytesField(1, channelHeader)), bytesField(2, Buffer.concat(signed))];
  return bytesField(1, Buffer.concat(payload));
}

/** The type of the message, in a ChannelHeader. */
const CONFIG_UPDATE = Uint8Array.of(8, 2);

/**
 * What a ConfigUpdate does to a channel's configuration, one line for each thing, for people who are to sign it. It says what it changes and adds; what
 * it removes is what only the configuration before it has.
 */
export function changesIn(update: Uint8Array, config: Uint8Array): readonly string[] {
  return changesOf('Channel', bytesAt(update, 2), bytesAt(update, 3), bytesAt(config, 2));
}

/** Fields of a ConfigGroup, by what they hold. */
const [GROUPS, VALUES, POLICIES] = [2, 3, 4];

function changesOf(path: string, read: Uint8Array, write: Uint8Array, before: Uint8Array): string[] {
  // An update names all members of a group only where it changes which there are.
  const namesAll = numberAt(read, 1) !== numberAt(write, 1);
  return [GROUPS, VALUES, POLICIES].flatMap((kind) => {
    const [known, readToo, written] = [before, read, write].map((group) => entriesOf(group, kind));
    const changes = [...(written ?? [])].flatMap(([name, entry]) => {
      const [old, same] = [known?.get(name), readToo?.get(name)];
      if (!old) return [`adds ${path}/${name}`];
      if (kind === GROUPS) return changesOf(`${path}/${name}`, same ?? NOTHING, entry, old);
      return same && numberAt(same, 1) === numberAt(entry, 1) ? [] : [`changes ${path}/${name}`];
    });
    const gone = namesAll ? [...(known?.keys() ?? [])].filter((name) => !written?.has(name)) : [];
    return [...changes, ...gone.map((name) => `removes ${path}/${name}`)];
  });
}

const NOTHING = new Uint8Array();

function entriesOf(group: Uint8Array, field: number): ReadonlyMap<string, Uint8Array> {
  return new Map(allBytes(group, field).map((entry) => [textOf(bytesAt(entry, 1)), bytesAt(entry, 2)]));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
