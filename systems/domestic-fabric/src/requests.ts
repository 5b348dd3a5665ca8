import type { SignedCertificate, SignedEpoch } from './certificate.ts';
import { Fields } from './fields.ts';
import { refuse } from './refusal.ts';
import type { Result } from './refusal.ts';
import { CERTIFICATE_KINDS } from './typed-data.ts';
import type { Epoch } from './typed-data.ts';

/** What may be submitted. Amounts are positive integers of minor units; an identity is `MSP:HASH`, see `identityOf`. */
export type Request =
  | ({ type: 'start' } & Epoch)
  | { type: 'install-epoch'; epoch: SignedEpoch }
  | { type: 'open-account'; account: string; owner: string }
  | { type: 'register-executor' | 'remove-executor'; identity: string }
  | { type: 'authorise' | 'revoke'; account: string; operator: string }
  | { type: 'issue'; account: string; amount: bigint }
  | { type: 'transfer'; from: string; to: string; amount: bigint }
  | HoldRequest
  | CloseRequest
  | FenceRequest;

export type HoldRequest = {
  type: 'hold';
  operation: string;
  settlement: string;
  from: string;
  to: string;
  amount: bigint;
};

/** Without an operation: from whoever has the certificate. */
export type CloseRequest = {
  type: 'execute' | 'release';
  operation: string | undefined;
  hold: string;
  certificate: SignedCertificate;
};

export type FenceRequest = {
  type: 'fence';
  operation: string;
  reason: string;
  certificate: SignedCertificate | undefined;
};

export function readRequest(value: unknown): Result<Request> {
  const fields = new Fields(value);
  const request = read(fields, fields.oneOf('type', TYPES));
  fields.end();
  if (fields.problems.length > 0) return refuse('request-invalid', fields.problems.join('; ').slice(0, 500));
  return { ok: true, value: request };
}

const TYPES = [
  'start',
  'install-epoch',
  'open-account',
  'register-executor',
  'remove-executor',
  'authorise',
  'revoke',
  'issue',
  'transfer',
  'hold',
  'execute',
  'release',
  'fence',
] as const;

function read(fields: Fields, type: (typeof TYPES)[number]): Request {
  switch (type) {
    case 'start':
      return { type, ...readEpoch(fields) };
    case 'install-epoch':
      return { type, epoch: { ...readEpoch(fields), signatures: readSignatures(fields) } };
    case 'open-account':
      return { type, account: account(fields, 'account'), owner: identity(fields, 'owner') };
    case 'register-executor':
    case 'remove-executor':
      return { type, identity: identity(fields, 'identity') };
    case 'authorise':
    case 'revoke':
      return { type, account: account(fields, 'account'), operator: identity(fields, 'operator') };
    case 'issue':
      return { type, account: account(fields, 'account'), amount: amount(fields) };
    case 'transfer':
      return { type, from: account(fields, 'from'), to: account(fields, 'to'), amount: amount(fields) };
    case 'hold': {
      const [operation, settlement] = [fields.id('operation'), fields.bytes32('settlement')];
      return {
        type,
        operation,
        settlement,
        from: account(fields, 'from'),
        to: account(fields, 'to'),
        amount: amount(fields),
      };
    }
    case 'execute':
    case 'release': {
      const operation = fields.has('operation') ? fields.id('operation') : undefined;
      return { type, operation, hold: fields.id('hold'), certificate: readCertificate(fields.object('certificate')) };
    }
    case 'fence': {
      const reason = fields.text('reason', /^[A-Z0-9]{4}$/, 'a reason code of four capital letters or digits');
      const certificate = fields.has('certificate') ? readCertificate(fields.object('certificate')) : undefined;
      return { type, operation: fields.id('operation'), reason, certificate };
    }
    default:
      return type satisfies never;
  }
}

function account(fields: Fields, name: string): string {
  return fields.text(name, /^[A-Za-z0-9][A-Za-z0-9-]{0,34}$/, 'the name of an account');
}

function identity(fields: Fields, name: string): string {
  return fields.text(name, /^[A-Za-z0-9.-]{1,64}:[0-9a-f]{64}$/, 'an identity, MSP:SHA-256 of its certificate');
}

function amount(fields: Fields): bigint {
  return BigInt(fields.text('amount', /^[1-9][0-9]{0,29}$/, 'a positive integer of minor units in a string') || '0');
}

function readEpoch(fields: Fields): Epoch {
  return {
    network: fields.bytes32('network'),
    epoch: fields.integer('epoch', 1),
    quorum: fields.integer('quorum', 1),
    signers: hexes(fields, 'signers', 100, 20),
  };
}

function readSignatures(fields: Fields): string[] {
  return hexes(fields, 'signatures', 100, 65);
}

/** In lower case, so that what is equal is spelled alike. */
function hexes(fields: Fields, name: string, most: number, bytes: number): string[] {
  const pattern = new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`, 'i');
  return fields.texts(name, most, pattern, `${bytes} bytes in hex`).map((text) => text.toLowerCase());
}

function readCertificate(fields: Fields): SignedCertificate {
  const [certificate, path] = [fields.object('certificate'), fields.object('path')];
  const signed = {
    certificate: {
      network: certificate.bytes32('network'),
      settlement: certificate.bytes32('settlement'),
      kind: certificate.oneOf('kind', CERTIFICATE_KINDS),
      scenario: certificate.bytes32('scenario'),
      head: certificate.bytes32('head'),
      count: certificate.integer('count', 0),
      epoch: certificate.integer('epoch', 0),
      operations: hexes(certificate, 'operations', 1000, 32),
    },
    block: fields.integer('block', 0),
    path: {
      index: path.integer('index', 0),
      size: path.integer('size', 1),
      hashes: hexes(path, 'hashes', 64, 32),
    },
    signatures: readSignatures(fields),
  };
  for (const each of [certificate, path, fields]) each.end();
  return signed;
}
