import { verify } from 'node:crypto';
import { ChannelMembers, entriesOf, type Member, namedBy, satisfiesSignatures, textOf } from './channel-members.ts';
import type { FabricBlock } from './fabric-block.ts';
import { allBytes, bytesAt, bytesField, numberAt } from './protobuf.ts';

/** A signature that is claimed of an identity. */
export type Claim = { readonly identity: Uint8Array; readonly data: Uint8Array; readonly signature: Uint8Array };

/** Whether a policy is met, and by whom: the members whose signatures hold and count for it. */
export type Judgement = { readonly holds: boolean; readonly members: readonly Member[] };

/** What a configuration block lays down for the blocks after it: who belongs to the channel, who orders, and whose signatures suffice. */
export class ChannelRules {
  readonly channel: string;
  readonly #members = new ChannelMembers();
  readonly #orderers: Uint8Array;
  readonly #applications: Uint8Array;
  readonly #consenters = new Map<bigint, Uint8Array>();

  /** Throws a RangeError on a block that is no configuration. */
  constructor({ envelopes: [envelope = new Uint8Array()] }: FabricBlock) {
    const payload = bytesAt(envelope, 1);
    this.channel = textOf(bytesAt(payload, 1, 1, 4));
    const groups = entriesOf(bytesAt(payload, 2, 1, 2), 2);
    const [orderers, applications] = [groups.get('Orderer'), groups.get('Application')];
    if (!orderers || !applications) throw new RangeError('the configuration has no orderers or no organisations');
    this.#orderers = orderers;
    this.#applications = applications;
    for (const group of [orderers, applications]) {
      for (const organisation of entriesOf(group, 2).values())
        this.#members.add(bytesAt(entriesOf(organisation, 3).get('MSP') ?? new Uint8Array(), 2, 2));
    }
    const consenters = bytesAt(entriesOf(orderers, 3).get('Orderers') ?? new Uint8Array(), 2);
    for (const consenter of allBytes(consenters, 1))
      this.#consenters.set(numberAt(consenter, 1), serializedIdentity(consenter));
  }

  /** How many orderers agree on blocks by their numbers; 0 where they sign by themselves, as with Raft. */
  get consenters(): number {
    return this.#consenters.size;
  }

  /** How many organisations have peers. */
  get organisations(): number {
    return entriesOf(this.#applications, 2).size;
  }

  /** Whether enough orderers signed a block. */
  ordered({ headerBytes, ordererMetadata, signatures }: FabricBlock): Judgement {
    const claims = signatures.map(({ consenter, identity, header, signature }): Claim => {
      const signer = consenter === undefined ? identity : this.#consenters.get(consenter);
      const data = Buffer.concat([ordererMetadata, header, headerBytes]);
      return { identity: signer ?? new Uint8Array(), data, signature };
    });
    return this.#judge(this.#orderers, 'BlockValidation', claims);
  }

  /** Whether enough organisations endorsed a transaction of a chaincode that has no policy of its own. */
  endorsed(claims: readonly Claim[]): Judgement {
    return this.#judge(this.#applications, 'Endorsement', claims);
  }

  /** Whose signature this is; undefined where it does not hold or the signer is no member. */
  signer({ identity, data, signature }: Claim): Member | undefined {
    const member = this.#members.member(identity);
    return member && verify('sha256', data, member.certificate.publicKey, signature) ? member : undefined;
  }

  #judge(group: Uint8Array, policy: string, claims: readonly Claim[]): Judgement {
    const members = new Map<string, Member>();
    for (const claim of claims) {
      const member = this.signer(claim);
      if (member) members.set(`${member.mspId} ${member.certificate.fingerprint256}`, member);
    }
    const signed = [...members.values()];
    const { type, content } = policyOf(group, policy);
    const counted = type === SIGNATURES ? namedBy(content, signed, this.#members) : signed;
    return { holds: this.#satisfies(group, policy, counted), members: counted };
  }

  #satisfies(group: Uint8Array, name: string, members: readonly Member[]): boolean {
    const { type, content } = policyOf(group, name);
    if (type === SIGNATURES) return satisfiesSignatures(content, members, this.#members);
    if (type !== OF_ORGANISATIONS) return false;
    const organisations = [...entriesOf(group, 2).values()];
    const named = textOf(bytesAt(content, 1));
    const held = organisations.filter((each) => this.#satisfies(each, named, members)).length;
    return held >= thresholdOf(numberAt(content, 2), organisations.length);
  }
}

const [SIGNATURES, OF_ORGANISATIONS] = [1n, 3n];

function policyOf(group: Uint8Array, name: string): { readonly type: bigint; readonly content: Uint8Array } {
  const policy = bytesAt(entriesOf(group, 4).get(name) ?? new Uint8Array(), 2);
  return { type: numberAt(policy, 1), content: bytesAt(policy, 2) };
}

function thresholdOf(rule: bigint, organisations: number): number {
  const [any, all, majority] = [1, Math.max(1, organisations), Math.floor(organisations / 2) + 1];
  return [any, all, majority][Number(rule)] ?? Infinity;
}

/** Of a Consenter, which has both parts in fields of its own. */
function serializedIdentity(consenter: Uint8Array): Uint8Array {
  return Buffer.concat([bytesField(1, bytesAt(consenter, 4)), bytesField(2, bytesAt(consenter, 5))]);
}
