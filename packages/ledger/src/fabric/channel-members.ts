import { X509Certificate } from 'node:crypto';
import { allBytes, bytesAt, numberAt, readFields } from './protobuf.ts';

/** Somebody who signed: a certificate that one of the channel's member services issued. */
export type Member = {
  readonly mspId: string;
  readonly certificate: X509Certificate;
  readonly units: readonly string[];
};

type MemberService = {
  readonly roots: readonly X509Certificate[];
  readonly intermediates: readonly X509Certificate[];
  /** The organisational units by which certificates show roles, by the number of the role; empty where the service tells none apart. */
  readonly roleUnits: ReadonlyMap<bigint, string>;
};

/** The member services of a channel: which certificates belong to whom. Throws a RangeError on a configuration that cannot be read. */
export class ChannelMembers {
  readonly #services = new Map<string, MemberService>();
  readonly #known = new Map<string, Member | undefined>();

  /** Takes in a FabricMSPConfig. */
  add(service: Uint8Array): void {
    const units = bytesAt(service, 11);
    const roleUnits = new Map<bigint, string>();
    for (const [role, field] of numberAt(units, 1) === 1n ? ROLE_FIELDS : []) {
      const unit = textOf(bytesAt(units, field, 2));
      if (unit !== '') roleUnits.set(role, unit);
    }
    this.#services.set(textOf(bytesAt(service, 1)), {
      roots: allBytes(service, 2).map(authority),
      intermediates: allBytes(service, 3).map(authority),
      roleUnits,
    });
  }

  /** The member that a SerializedIdentity is; undefined where it is none of this channel. */
  member(identity: Uint8Array): Member | undefined {
    const key = Buffer.from(identity).toString('latin1');
    const known = this.#known.get(key);
    if (known || this.#known.has(key)) return known;
    const member = attempt(() => this.#read(identity));
    this.#known.set(key, member);
    return member;
  }

  /** Whether a member is what a MSPPrincipal of a policy names: somebody with a role, or one certificate. */
  is(member: Member, principal: Uint8Array): boolean {
    const classification = numberAt(principal, 1);
    const content = bytesAt(principal, 2);
    if (classification === IDENTITY) {
      const named = this.member(content);
      return named?.mspId === member.mspId && named.certificate.raw.equals(member.certificate.raw);
    }
    if (classification !== ROLE || textOf(bytesAt(content, 1)) !== member.mspId) return false;
    const role = numberAt(content, 2);
    if (role === MEMBER) return true;
    const unit = this.#services.get(member.mspId)?.roleUnits.get(role);
    return unit !== undefined && member.units.includes(unit);
  }

  #read(identity: Uint8Array): Member | undefined {
    const mspId = textOf(bytesAt(identity, 1));
    const service = this.#services.get(mspId);
    const certificate = parseCertificate(bytesAt(identity, 2));
    const isUsable = certificate && !certificate.ca && certificate.publicKey.asymmetricKeyType === 'ec';
    if (!service || !isUsable || !isIssued(certificate, service)) return undefined;
    const lines = certificate.subject.split('\n');
    const units = lines.flatMap((line) => (line.startsWith('OU=') ? [line.slice('OU='.length)] : []));
    return { mspId, certificate, units };
  }
}

/** The values of a ConfigGroup by name, in field 3, or its groups in field 2, or its policies in field 4. */
export function entriesOf(group: Uint8Array, field: 2 | 3 | 4): ReadonlyMap<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (const entry of allBytes(group, field)) entries.set(textOf(bytesAt(entry, 1)), bytesAt(entry, 2));
  return entries;
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** Those of some members that a SignaturePolicyEnvelope is about. */
export function namedBy(policy: Uint8Array, members: readonly Member[], channel: ChannelMembers): Member[] {
  const principals = allBytes(policy, 3);
  return members.filter((member) => principals.some((principal) => channel.is(member, principal)));
}

/** Whether signatures of members satisfy a SignaturePolicyEnvelope. As in Fabric, each member counts for one place in the policy. */
export function satisfiesSignatures(policy: Uint8Array, members: readonly Member[], channel: ChannelMembers): boolean {
  const principals = allBytes(policy, 3);
  const used = new Set<Member>();
  const holds = (rule: Uint8Array): boolean => {
    const [several] = readFields(rule).get(2) ?? [];
    if (several instanceof Uint8Array) {
      const needed = numberAt(several, 1);
      const before = new Set(used);
      let held = 0n;
      for (const each of allBytes(several, 2)) if (holds(each)) held += 1n;
      if (held >= needed) return true;
      used.clear();
      for (const member of before) used.add(member);
      return false;
    }
    const principal = principals[Number(numberAt(rule, 1))];
    const signer = principal && members.find((member) => !used.has(member) && channel.is(member, principal));
    if (signer) used.add(signer);
    return signer !== undefined;
  };
  return holds(bytesAt(policy, 2));
}

const [ROLE, IDENTITY] = [0n, 2n];
const [MEMBER, ADMIN, CLIENT, PEER, ORDERER] = [0n, 1n, 2n, 3n, 4n];
/** Where FabricNodeOUs has the unit of each role. */
const ROLE_FIELDS = [
  [CLIENT, 2],
  [PEER, 3],
  [ADMIN, 4],
  [ORDERER, 5],
] as const;

function isIssued(certificate: X509Certificate, { roots, intermediates }: MemberService): boolean {
  const issued = (by: X509Certificate): boolean => certificate.checkIssued(by) && certificate.verify(by.publicKey);
  if (roots.some(issued)) return true;
  const rest = (without: X509Certificate): MemberService => ({
    roots,
    intermediates: intermediates.filter((each) => each !== without),
    roleUnits: new Map(),
  });
  return intermediates.some((each) => issued(each) && isIssued(each, rest(each)));
}

function authority(pem: Uint8Array): X509Certificate {
  const certificate = parseCertificate(pem);
  if (!certificate?.ca) throw new RangeError('a member service has an authority that is none');
  return certificate;
}

function parseCertificate(pem: Uint8Array): X509Certificate | undefined {
  return attempt(() => new X509Certificate(pem));
}

/** Node throws on certificates and keys that it does not understand; nobody is known by such a one. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
