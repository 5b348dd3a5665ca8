import { bytesOf, keccak } from './keccak.ts';

export const CERTIFICATE_KINDS = ['proceed', 'commit', 'abort', 'fence'] as const;
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/** What a quorum decided. Ids are 32 bytes in lower-case hex. */
export type Certificate = {
  network: string;
  settlement: string;
  kind: CertificateKind;
  scenario: string;
  head: string;
  count: number;
  epoch: number;
  operations: string[];
};

/** The members whose quorum signs; addresses in lower-case hex. */
export type Epoch = { network: string; epoch: number; quorum: number; signers: string[] };

/** EIP-712 struct hash of a certificate. */
export function certificateHash(certificate: Certificate): Uint8Array {
  return keccak(
    CERTIFICATE_TYPE,
    bytesOf(certificate.network),
    bytesOf(certificate.settlement),
    word(CERTIFICATE_KINDS.indexOf(certificate.kind) + 1),
    bytesOf(certificate.scenario),
    bytesOf(certificate.head),
    word(certificate.count),
    word(certificate.epoch),
    keccak(...certificate.operations.map(bytesOf)),
  );
}

/** What the signers of a block sign: EIP-712 digest of Root. */
export function rootDigest(network: string, epoch: number, block: number, root: Uint8Array): Uint8Array {
  return digest(keccak(ROOT_TYPE, bytesOf(network), word(epoch), word(block), root));
}

/** What the signers of one epoch sign to install the next one: EIP-712 digest of Epoch. */
export function epochDigest(epoch: Epoch): Uint8Array {
  const signers = epoch.signers.map((address) => Buffer.concat([new Uint8Array(12), bytesOf(address)]));
  return digest(keccak(EPOCH_TYPE, bytesOf(epoch.network), word(epoch.epoch), word(epoch.quorum), keccak(...signers)));
}

const CERTIFICATE_TYPE = keccak(
  Buffer.from(
    'Certificate(bytes32 network,bytes32 settlement,uint8 kind,bytes32 scenario,bytes32 head,uint64 count,uint64 epoch,bytes32[] operations)',
  ),
);
const ROOT_TYPE = keccak(Buffer.from('Root(bytes32 network,uint64 epoch,uint64 block,bytes32 root)'));
const EPOCH_TYPE = keccak(Buffer.from('Epoch(bytes32 network,uint64 epoch,uint64 quorum,address[] signers)'));
const DOMAIN = keccak(
  keccak(Buffer.from('EIP712Domain(string name,string version)')),
  keccak(Buffer.from('Linkspan')),
  keccak(Buffer.from('1')),
);
const DIGEST_PREFIX = Uint8Array.of(0x19, 0x01);

function digest(structHash: Uint8Array): Uint8Array {
  return keccak(DIGEST_PREFIX, DOMAIN, structHash);
}

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64BE(BigInt(value), 24);
  return bytes;
}
