import {
  accept,
  canonicalJson,
  canonicalText,
  type CertificateShare,
  documentHash,
  type JsonObject,
  refuse,
  type Refusal,
  type Result,
  verifyShare,
} from '@linkspan/protocol';
import { certificateOf, sequenceOf } from '@linkspan/scenario';
import type { Context } from './apply-calls.ts';
import { certificateKeysOf } from './epochs.ts';
import { ENTRY, NETWORK, SETTLEMENT, SIGNATURES, type StoredSettlement } from './store.ts';
import type { World } from './world.ts';

/**
 * Adds organisations' signatures to an entry that called for a certificate; changes no phase. Shares prove themselves, so any organisation may
 * bring any other's. The first one that cannot stand refuses the call.
 */
export function certify({ world, body }: Context<'certify'>): Result<JsonObject> {
  const stored = SETTLEMENT.get(world, body.proposal);
  if (!stored) return refuse('not-registered', `There is no settlement ${body.proposal}.`);
  let added = 0;
  for (const share of body.shares) {
    const refused = checkShare(world, stored, share);
    if (refused) return { ok: false, refusal: refused };
    added += addShare(world, stored, share) ? 1 : 0;
  }
  return accept({ proposal: body.proposal, added });
}

function checkShare(world: World, stored: StoredSettlement, share: CertificateShare): Refusal | undefined {
  const { kind } = share.certificate;
  const sequence = sequenceOf(stored.state, kind);
  const entry = sequence === undefined ? undefined : ENTRY.get(world, stored.state.proposal, sequence);
  if (
    !entry ||
    canonicalJson(certificateOf(stored.state, kind, documentHash(entry), share.certificate.epoch)) !==
      canonicalText(share.certificate)
  ) {
    return { code: 'certificate-unknown', message: `No entry of the settlement calls for this ${kind} certificate.` };
  }
  const network = NETWORK.get(world, 'genesis');
  const keys = network && certificateKeysOf(network, share.certificate.epoch);
  if (!keys) {
    const message = `Epoch ${share.certificate.epoch} has ended, or has not been announced.`;
    return { code: 'certificate-epoch-ended', message };
  }
  if (!keys.includes(share.key)) {
    return {
      code: 'certificate-key-unknown',
      message: `${share.key} is no organisation's certificate key in epoch ${share.certificate.epoch}.`,
    };
  }
  if (!verifyShare(world.verify, share)) {
    return {
      code: 'certificate-signature-invalid',
      message: `The signature by ${share.key} does not fit the certificate.`,
    };
  }
  return undefined;
}

function addShare(world: World, { state }: StoredSettlement, share: CertificateShare): boolean {
  const sequence = share.certificate.count;
  const shares = SIGNATURES.get(world, state.proposal, sequence)?.shares ?? [];
  const { kind, epoch } = share.certificate;
  const isKnown = (other: CertificateShare): boolean =>
    other.key === share.key && other.certificate.kind === kind && other.certificate.epoch === epoch;
  if (shares.some(isKnown)) return false;
  SIGNATURES.put(world, { shares: [...shares, share] }, state.proposal, sequence);
  return true;
}
