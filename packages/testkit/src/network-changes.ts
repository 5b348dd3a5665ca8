import type { NetworkView } from '@linkspan/contract';
import { ed25519Signer, secp256k1Signer } from '@linkspan/keys';
import {
  bytesToHex,
  type CallBody,
  type CertificateKey,
  epochAfter,
  type NetworkChange,
  networkChangeId,
  sealEpoch,
  sha256,
  type Signer,
  type SigningKey,
  utf8ToBytes,
} from '@linkspan/protocol';

/** Keys by a name, always the same ones. */
export function testKeys(name: string): {
  readonly call: Signer<SigningKey>;
  readonly certificate: Signer<CertificateKey>;
} {
  const secret = (of: string): string => bytesToHex(sha256(utf8ToBytes(`linkspan test key ${name} ${of}`)));
  return { call: ed25519Signer(secret('call')), certificate: secp256k1Signer(secret('certificate')) };
}

/** How an organisation proposes a change, with its signature over the epoch that the change makes, if it makes one. */
export function proposeBody(view: NetworkView, change: NetworkChange, signer?: Signer<CertificateKey>): CallBody {
  return { type: 'propose-change', change, epoch: view.epoch, ...sealed(view, change, signer) };
}

export function approveBody(view: NetworkView, change: NetworkChange, signer?: Signer<CertificateKey>): CallBody {
  return {
    type: 'approve-change',
    change: networkChangeId(view.id, view.epoch, change),
    ...sealed(view, change, signer),
  };
}

function sealed(view: NetworkView, change: NetworkChange, signer: Signer<CertificateKey> | undefined) {
  const next = epochAfter(view.current, change);
  return next && signer ? { seal: sealEpoch(signer, view.id, next) } : {};
}
