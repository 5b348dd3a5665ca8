import assert from 'node:assert/strict';
import type { Evidence, Finding } from '@linkspan/audit';
import { ed25519Signer, secp256k1Signer } from '@linkspan/keys';
import {
  bytesToHex,
  type Call,
  type CallBody,
  callSchema,
  type CertificateKey,
  type CertificateShare,
  certificateShareSchema,
  sha256,
  signCertificates,
  type SignedStatement,
  signedStatementSchema,
  type Signer,
  type SigningKey,
  signOne,
  utf8ToBytes,
} from '@linkspan/protocol';
import { z } from 'zod';
import { smallNetwork } from './evidence-scene.ts';
import { JsonEdit } from './json-edit.ts';
import { settled } from './valid-files.ts';

/** A file that somebody tampered with, and the first thing that the verifier must find. `network`: whom the reader trusts. */
export type InvalidFile = {
  readonly what: string;
  readonly text: string;
  readonly network: string;
  readonly expect: Pick<Finding, 'code' | 'where'>;
};

const net = smallNetwork();
export const good = settled();

/** In `settled` the calls are: 0 and 1 the two copies, 2 the holds, 3 the signatures of the commit certificate, 4 the deliveries. */
export const SETTLEMENT = '/settlements/0';
export const LODGE = `${SETTLEMENT}/calls/0`;
export const HOLDS = `${SETTLEMENT}/calls/2`;
export const CERTIFY = `${SETTLEMENT}/calls/3`;
export const DELIVERIES = `${SETTLEMENT}/calls/4`;

/**
 * A good file after somebody changed it, and what must be found first. The reader trusts the network that the file is really of, or
 * the one whose name it was given.
 */
export function tampered(
  what: string,
  code: Finding['code'],
  where: string,
  tamper: (edit: JsonEdit) => JsonEdit,
  base: Evidence = good,
  trusted: 'the-real-one' | 'as-renamed' = 'the-real-one',
): InvalidFile {
  const edit = tamper(new JsonEdit(base));
  const network = trusted === 'as-renamed' ? String(edit.get('/network')) : net.id;
  return { what, text: JSON.stringify(edit.document), network, expect: { code, where } };
}

/** A call that was changed, signed anew by the organisation whose call it is: the worst that an organisation can do alone. */
export function resigned(edit: JsonEdit, at: string): JsonEdit {
  const call: Call = callSchema.parse(edit.get(`${at}/call/call`));
  return edit.set(`${at}/call/signature`, signOne(callSigner(call.organisation), call));
}

export function changedStatements(
  edit: JsonEdit,
  at: string,
  change: (signed: SignedStatement) => SignedStatement,
): JsonEdit {
  return edit.set(`${at}/call/call/body/statements`, statementsAt(edit, at).map(change));
}

export function oneSignature(edit: JsonEdit): readonly SignedStatement[] {
  const signed = statementsAt(edit, HOLDS).find(({ statement }) => statement.system === 'fcy-evm');
  assert.ok(signed);
  return [{ ...signed, signatures: signed.signatures.slice(0, 1) }];
}

function statementsAt(edit: JsonEdit, at: string): readonly SignedStatement[] {
  return z.array(signedStatementSchema).parse(edit.get(`${at}/call/call/body/statements`));
}

/** Other shares in the call that records them, which is signed anew. */
export function changedShares(
  edit: JsonEdit,
  change: (shares: readonly CertificateShare[]) => readonly CertificateShare[],
): JsonEdit {
  const path = `${CERTIFY}/call/call/body/shares`;
  return resigned(edit.set(path, change(z.array(certificateShareSchema).parse(edit.get(path)))), CERTIFY);
}

/** The same organisation's right signature over a certificate that says something else. */
export function certified(
  { certificate, block, key }: CertificateShare,
  other: Partial<CertificateShare['certificate']>,
): CertificateShare {
  const signer = Object.values(net.organisations).find(
    (organisation) => organisation.certificate.key === key,
  )?.certificate;
  assert.ok(signer);
  const [share] = signCertificates(signer, block, [{ ...certificate, ...other }]);
  assert.ok(share);
  return share;
}

export function fieldIndex(path: string): number {
  const body: CallBody | undefined = good.settlements[0]?.calls[0]?.call.call.body;
  assert.ok(body?.type === 'lodge');
  return body.fields.findIndex((field) => field.path === path);
}

export function environmentIndex(type: CallBody['type']): number {
  const index = good.environment.findIndex(({ call }) => call.call.body.type === type);
  assert.ok(index >= 0);
  return index;
}

export function callSigner(organisation: string): Signer<SigningKey> {
  const signer = net.organisations[organisation]?.call;
  assert.ok(signer);
  return signer;
}

export function stranger(): Signer<SigningKey> {
  return ed25519Signer(bytesToHex(sha256(utf8ToBytes('a stranger'))));
}

export function certificateStranger(): Signer<CertificateKey> {
  return secp256k1Signer(bytesToHex(sha256(utf8ToBytes('a key of an earlier epoch'))));
}

export function flipped(hex: unknown): string {
  assert.ok(typeof hex === 'string');
  return `${hex.startsWith('0') ? '1' : '0'}${hex.slice(1)}`;
}

export function object(value: unknown): object {
  assert.ok(typeof value === 'object' && value !== null);
  return value;
}
