import assert from 'node:assert/strict';
import { type CertificateShare, certificateShareSchema, signOne } from '@linkspan/protocol';
import { z } from 'zod';
import { acrossEpochs, NEXT } from './epoch-scenes.ts';
import type { JsonEdit } from './json-edit.ts';
import { callSigner, certified, object, resigned, SETTLEMENT, tampered } from './tampering.ts';

const base = acrossEpochs();
const FIRST = base.environment.length - 4;
const [PROPOSAL, APPROVAL, CONFIRMATION, BEGINNING] = [0, 1, 2, 3].map((i) => `/environment/${FIRST + i}`);
assert.ok(PROPOSAL && APPROVAL && CONFIRMATION && BEGINNING);
/** Of the first settlement: 0 and 1 the copies, 2 the holds, 3 the certificate of the second epoch. */
const CERTIFY = `${SETTLEMENT}/calls/3`;
/** The first copy of the settlement that is of the second epoch altogether. */
const LATER = '/settlements/1/calls/0';

/** What a key or a certificate could do beyond its epoch. */
export const epochs = {
  'ended-epochs-certificate': tampered(
    'after an epoch has ended, a certificate of it is recorded, rightly signed with its keys',
    'certificate-epoch-ended',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map(asOfFirstEpoch)),
    base,
  ),
  'ended-epochs-key': tampered(
    'a certificate of the new epoch is signed with the key that an organisation had in the one before',
    'certificate-key-unknown',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map(byOldKey)),
    base,
  ),
  'replaced-call-key': tampered(
    'an organisation’s call is signed with the key that was replaced',
    'key-unknown',
    LATER,
    (edit) =>
      edit.set(
        `${LATER}/call/signature`,
        signOne(callSigner('central-bank-a'), object(edit.get(`${LATER}/call/call`))),
      ),
    base,
  ),
  'dropped-change-approval': tampered(
    'the approval of a change is dropped, so that one organisation alone would have made an epoch',
    'epoch-not-announced',
    `/environment/${FIRST + 1}`,
    (edit) => edit.remove(APPROVAL),
    base,
  ),
  'dropped-confirmation': tampered(
    'a confirmation is dropped, so that the epoch never begins and the keys before it still count',
    'key-unknown',
    LATER,
    (edit) => edit.remove(CONFIRMATION),
    base,
  ),
  'seal-of-another-key': tampered(
    'an approval carries the other organisation’s signature over the epoch, and the call is signed anew',
    'epoch-seal-invalid',
    APPROVAL,
    (edit) =>
      resigned(edit.set(`${APPROVAL}/call/call/body/seal`, edit.get(`${PROPOSAL}/call/call/body/seal`)), APPROVAL),
    base,
  ),
  'change-of-another-key': tampered(
    'the proposed change names another key, and the call is signed anew',
    'epoch-seal-invalid',
    PROPOSAL,
    (edit) =>
      resigned(edit.set(`${PROPOSAL}/call/call/body/change/certificateKey`, `secp256k1:${'ab'.repeat(20)}`), PROPOSAL),
    base,
  ),
};

function changedShares(
  edit: JsonEdit,
  change: (shares: readonly CertificateShare[]) => readonly CertificateShare[],
): JsonEdit {
  const path = `${CERTIFY}/call/call/body/shares`;
  return resigned(edit.set(path, change(z.array(certificateShareSchema).parse(edit.get(path)))), CERTIFY);
}

/** The share as it would have been in the first epoch, by the key that counted then. */
function asOfFirstEpoch(share: CertificateShare): CertificateShare {
  return certified({ ...share, key: oldKeyOf(share) }, { epoch: 1 });
}

/** The same certificate, signed with the key of the epoch before. */
function byOldKey(share: CertificateShare): CertificateShare {
  return certified({ ...share, key: oldKeyOf(share) }, {});
}

function oldKeyOf({ key }: CertificateShare): CertificateShare['key'] {
  return key === NEXT.certificate.key ? certificateKeyInGenesis('central-bank-a') : key;
}

function certificateKeyInGenesis(id: string): CertificateShare['key'] {
  const organisation = base.genesis.organisations.find((each) => each.id === id);
  assert.ok(organisation);
  return organisation.certificateKey;
}
