import { hashOf, signCertificates, signOne } from '@linkspan/protocol';
import {
  callSigner,
  CERTIFY,
  certificateStranger,
  certified,
  changedShares,
  changedStatements,
  DELIVERIES,
  fieldIndex,
  flipped,
  good,
  HOLDS,
  LODGE,
  object,
  oneSignature,
  resigned,
  SETTLEMENT,
  stranger,
  tampered,
} from './tampering.ts';
import { batched, period } from './valid-files.ts';

export const amounts = {
  'amount-in-instruction': tampered('the amount in a lodged copy is changed', 'signature-invalid', LODGE, (edit) =>
    edit.set(`${LODGE}/call/call/body/fields/${fieldIndex('/lcy/amount')}/value`, '1000001'),
  ),
  'amount-in-entry': tampered(
    'the amount in an entry is changed',
    'entry-differs',
    `${SETTLEMENT}/entries/2/changes/1/terms/amount`,
    (edit) => edit.set(`${SETTLEMENT}/entries/2/changes/1/terms/amount`, '6711.42'),
  ),
  'amount-in-statement': tampered(
    'the amount in a validator’s statement is changed',
    'signature-invalid',
    HOLDS,
    (edit) => edit.set(`${HOLDS}/call/call/body/statements/0/statement/terms/amount`, '1.00'),
  ),
  'amount-in-statement-resigned': tampered(
    'one statement is changed, and the organisation signs the call anew',
    'entry-differs',
    `${SETTLEMENT}/entries/2/call`,
    (edit) => resigned(edit.set(`${HOLDS}/call/call/body/statements/0/statement/terms/amount`, '1.00'), HOLDS),
  ),
  'statements-resigned-by-stranger': tampered(
    'all statements are made by a key that is no validator, and the organisation signs the call anew',
    'statement-key-unknown',
    HOLDS,
    (edit) =>
      resigned(
        changedStatements(edit, HOLDS, ({ statement }) => ({
          statement,
          signatures: [signOne(stranger(), statement)],
        })),
        HOLDS,
      ),
  ),
  'statements-too-few': tampered(
    'every statement but the first is dropped and the first has one signature of two, and the call is signed anew',
    'statement-too-few',
    HOLDS,
    (edit) => resigned(edit.set(`${HOLDS}/call/call/body/statements`, oneSignature(edit)), HOLDS),
  ),
};

export const lists = {
  'dropped-first-copy': tampered(
    'the first lodged copy is dropped',
    'entry-differs',
    `${SETTLEMENT}/entries/0/call`,
    (edit) => edit.remove(LODGE),
  ),
  'dropped-holds': tampered(
    'the call that records the holds is dropped',
    'certificate-unknown',
    `${SETTLEMENT}/calls/2`,
    (edit) => edit.remove(HOLDS),
  ),
  'dropped-entry': tampered('an entry is dropped', 'entry-differs', `${SETTLEMENT}/entries/1/sequence`, (edit) =>
    edit.remove(`${SETTLEMENT}/entries/1`),
  ),
  'added-entry': tampered('an entry is added that no call makes', 'entry-added', `${SETTLEMENT}/entries/4`, (edit) =>
    edit.insert(`${SETTLEMENT}/entries/4`, { ...object(edit.get(`${SETTLEMENT}/entries/3`)), sequence: 5 }),
  ),
  'swapped-entries': tampered('two entries are swapped', 'entry-differs', `${SETTLEMENT}/entries/1/sequence`, (edit) =>
    edit.swap(`${SETTLEMENT}/entries/1`, `${SETTLEMENT}/entries/2`),
  ),
  'swapped-calls': tampered('two calls are swapped in the list', 'order-wrong', CERTIFY, (edit) =>
    edit.swap(HOLDS, CERTIFY),
  ),
  'swapped-contents': tampered(
    'two calls are swapped, each in the other’s place on the ledger',
    'certificate-unknown',
    HOLDS,
    (edit) => edit.swap(`${HOLDS}/call`, `${CERTIFY}/call`),
  ),
  'repeated-call': tampered('a call is in the file once more', 'call-repeated', `${SETTLEMENT}/calls/5`, (edit) =>
    edit.insert(`${SETTLEMENT}/calls/5`, { ...object(edit.get(DELIVERIES)), block: 100 }),
  ),
  'same-place-twice': tampered('two calls stand in one place on the ledger', 'order-wrong', HOLDS, (edit) =>
    edit
      .set(`${HOLDS}/block`, edit.get(`${SETTLEMENT}/calls/1/block`))
      .set(`${HOLDS}/time`, edit.get(`${SETTLEMENT}/calls/1/time`)),
  ),
  'place-of-another-settlement': tampered(
    'a call stands where a call of another settlement stands',
    'order-wrong',
    '/settlements/1/calls/0',
    (edit) => edit.set('/settlements/1/calls/0/block', edit.get(`${DELIVERIES}/block`)),
    period(),
  ),
  'truncated-calls': tampered('the last call is cut off', 'entry-added', `${SETTLEMENT}/entries/3`, (edit) =>
    edit.remove(DELIVERIES),
  ),
  'truncated-entries': tampered('the last entry is cut off', 'entry-dropped', `${SETTLEMENT}/entries`, (edit) =>
    edit.remove(`${SETTLEMENT}/entries/3`),
  ),
  'truncated-both': tampered(
    'the last call and its entry are cut off, the end is still claimed',
    'end-differs',
    `${SETTLEMENT}/head`,
    (edit) => edit.remove(DELIVERIES).remove(`${SETTLEMENT}/entries/3`),
  ),
  'all-calls-dropped': tampered('every call and every entry is dropped', 'end-differs', `${SETTLEMENT}/calls`, (edit) =>
    edit.set(`${SETTLEMENT}/calls`, []).set(`${SETTLEMENT}/entries`, []),
  ),
  'other-settlements-call': tampered(
    'the last call of a settlement is put into another one’s list',
    'call-misplaced',
    `${SETTLEMENT}/calls/5`,
    (edit) => {
      const last = edit.get('/settlements/2/calls/4');
      return edit.remove('/settlements/2/calls/4').insert(`${SETTLEMENT}/calls/5`, last);
    },
    period(),
  ),
  'settlement-twice': tampered('a settlement is in the file twice', 'settlement-repeated', '/settlements/1', (edit) =>
    edit.insert('/settlements/1', edit.get(SETTLEMENT)),
  ),
  'settlement-among-environment': tampered(
    'the last call of a settlement stands among the environment',
    'call-misplaced',
    `/environment/${good.environment.length}`,
    (edit) => {
      const call = edit.get(DELIVERIES);
      return edit.remove(DELIVERIES).insert(`/environment/${good.environment.length}`, call);
    },
  ),
};

export const signatures = {
  'broken-signature': tampered('one digit of a call’s signature is changed', 'signature-invalid', LODGE, (edit) =>
    edit.set(`${LODGE}/call/signature/signature`, flipped(edit.get(`${LODGE}/call/signature/signature`))),
  ),
  'foreign-signature': tampered('a call is signed by a key that is nobody’s', 'key-unknown', LODGE, (edit) =>
    edit.set(`${LODGE}/call/signature`, signOne(stranger(), object(edit.get(`${LODGE}/call/call`)))),
  ),
  'other-organisations-signature': tampered(
    'a call in one organisation’s name is signed by another',
    'key-unknown',
    LODGE,
    (edit) => edit.set(`${LODGE}/call/signature`, signOne(callSigner('csd-b'), object(edit.get(`${LODGE}/call/call`)))),
  ),
  'other-persons-call': tampered('a call is said to be another person’s', 'signature-invalid', DELIVERIES, (edit) =>
    edit.set(`${DELIVERIES}/call/call/actor`, 'somebody else'),
  ),
  'path-of-another-call': tampered(
    'a call from a batch carries the path of another one',
    'signature-invalid',
    LODGE,
    (edit) => edit.set(`${LODGE}/call/signature/path`, edit.get('/settlements/1/calls/0/call/signature/path')),
    batched(),
  ),
  'hash-in-path': tampered(
    'a hash in the path of a batched call is changed',
    'signature-invalid',
    `/settlements/1/calls/0`,
    (edit) => edit.set('/settlements/1/calls/0/call/signature/path/hashes/0', hashOf('other').slice('sha256:'.length)),
    batched(),
  ),
};

export const certificates = {
  'old-epochs-key': tampered(
    'the certificate is signed by a key that no organisation has in this epoch',
    'certificate-key-unknown',
    CERTIFY,
    (edit) =>
      changedShares(edit, (shares) =>
        shares.flatMap(({ certificate, block }) => signCertificates(certificateStranger(), block, [certificate])),
      ),
  ),
  'other-epoch': tampered(
    'both organisations’ signatures are over the certificate of another epoch',
    'certificate-epoch-ended',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map((share) => certified(share, { epoch: 2 }))),
  ),
  'forged-certificate': tampered(
    'one organisation signs in the name of another',
    'certificate-signature-invalid',
    CERTIFY,
    (edit) => changedShares(edit, ([first, second]) => (first && second ? [first, { ...first, key: second.key }] : [])),
  ),
  'broken-certificate-signature': tampered(
    'one digit of a certificate’s signature is changed',
    'certificate-signature-invalid',
    CERTIFY,
    (edit) =>
      changedShares(edit, (shares) => shares.map((share) => ({ ...share, signature: flipped(share.signature) }))),
  ),
  'opposite-decision': tampered(
    'a quorum signs an abort where the history commits',
    'certificate-unknown',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map((share) => certified(share, { kind: 'abort' }))),
  ),
  'other-history': tampered(
    'a quorum signs the certificate over another history',
    'certificate-unknown',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map((share) => certified(share, { head: hashOf('other') }))),
  ),
  'certificate-of-another-network': tampered(
    'a quorum signs the certificate for another network',
    'certificate-unknown',
    CERTIFY,
    (edit) => changedShares(edit, (shares) => shares.map((share) => certified(share, { network: hashOf('other') }))),
  ),
};
