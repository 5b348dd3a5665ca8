import type { Evidence } from '@linkspan/audit';
import { type Genesis, hashOf, networkId } from '@linkspan/protocol';
import { EvidenceScene, smallNetwork } from './evidence-scene.ts';
import { JsonEdit, nested } from './json-edit.ts';
import {
  CERTIFY,
  DELIVERIES,
  environmentIndex,
  good,
  HOLDS,
  LODGE,
  object,
  resigned,
  SETTLEMENT,
  stranger,
  tampered,
} from './tampering.ts';

/** What a reader trusts who was handed the evidence of a network that looks the same. */
const trustedGenesis: Genesis = { ...good.genesis, nonce: 'the real one' };

export const times = {
  'time-changed': tampered(
    'the time of the last block is changed',
    'entry-differs',
    `${SETTLEMENT}/entries/3/time`,
    (edit) => edit.set(`${DELIVERIES}/time`, Number(edit.get(`${DELIVERIES}/time`)) + 1),
  ),
  'time-back': tampered('time goes back from one block to the next', 'order-wrong', DELIVERIES, (edit) =>
    edit.set(`${DELIVERIES}/time`, 0),
  ),
  'history-at-another-time': tampered(
    'the whole history is told anew with another time; only the signed certificate is the old one',
    'certificate-unknown',
    CERTIFY,
    (edit) => edit.set(CERTIFY, { ...object(edit.get(CERTIFY)), call: new JsonEdit(good).get(`${CERTIFY}/call`) }),
    toldAnew(),
  ),
  'after-the-deadline': tampered(
    'the holds are said to have been recorded after the deadline',
    'entry-differs',
    `${SETTLEMENT}/entries/2/time`,
    (edit) => {
      for (const call of [HOLDS, CERTIFY, DELIVERIES])
        edit.set(`${call}/time`, Number(edit.get(`${call}/time`)) + 3_600_000);
      return edit;
    },
  ),
};

export const networks = {
  'other-networks-calls': tampered(
    'everything is of another network, but the network and genesis that the file names are those that the reader trusts',
    'genesis-differs',
    '/environment',
    (edit) => edit.set('/genesis', trustedGenesis).set('/network', networkId(trustedGenesis)),
    good,
    'as-renamed',
  ),
  'other-network': {
    ...tampered('everything holds, but it is another network', 'network-other', '/network', (edit) => edit),
    network: hashOf('the network that the reader trusts'),
  },
  'network-renamed': tampered(
    'the file is said to be of another network, which the reader trusts',
    'genesis-differs',
    '/genesis',
    (edit) => edit.set('/network', hashOf('the network that the reader trusts')),
    good,
    'as-renamed',
  ),
  'genesis-key': tampered('an organisation has another key in the genesis', 'genesis-differs', '/genesis', (edit) =>
    edit.set('/genesis/organisations/0/callKey', stranger().key),
  ),
  'genesis-quorum': tampered('the genesis asks for a larger quorum', 'genesis-differs', '/genesis', (edit) =>
    edit.set('/genesis/quorum', 3),
  ),
  'dropped-genesis': tampered('the genesis call is dropped', 'not-registered', '/environment/0', (edit) =>
    edit.remove('/environment/0'),
  ),
  'dropped-account': tampered('the registration of an account is dropped', 'instruction-invalid', LODGE, (edit) =>
    edit.remove(`/environment/${environmentIndex('register-account')}`),
  ),
  'dropped-approval': tampered(
    'an organisation’s approval of the scenario is dropped',
    'instruction-invalid',
    LODGE,
    (edit) => edit.remove(`/environment/${good.environment.length - 1}`),
  ),
  'validators-replaced': tampered(
    'a system is registered with other validators, by its owner’s own signature',
    'entry-differs',
    `${SETTLEMENT}/entries/2/changes/1/operation`,
    (edit) => {
      const at = `/environment/${environmentIndex('register-system')}`;
      return resigned(edit.set(`${at}/call/call/body/system/validators`, { keys: [stranger().key], threshold: 1 }), at);
    },
  ),
  'scenario-replaced': tampered(
    'another scenario document stands under the same name, signed by who proposed it',
    'already-registered',
    `/environment/${environmentIndex('approve-scenario')}`,
    (edit) => {
      const at = `/environment/${environmentIndex('propose-scenario')}`;
      return resigned(edit.set(`${at}/call/call/body/document/ends/settled`, 'Somebody has everything.'), at);
    },
  ),
};

export const claims = {
  'unknown-machine': tampered(
    'an entry is said to be made by a machine of another version',
    'machine-unknown',
    `${SETTLEMENT}/entries/0/machine`,
    (edit) => edit.set(`${SETTLEMENT}/entries/0/machine`, 2),
  ),
  'state-changed': tampered(
    'the hash of a state is changed',
    'entry-differs',
    `${SETTLEMENT}/entries/3/state`,
    (edit) => edit.set(`${SETTLEMENT}/entries/3/state`, hashOf('other')),
  ),
  'previous-changed': tampered(
    'an entry is said to follow another one',
    'entry-differs',
    `${SETTLEMENT}/entries/2/previous`,
    (edit) => edit.set(`${SETTLEMENT}/entries/2/previous`, hashOf('other')),
  ),
  'organisation-changed': tampered(
    'an entry is said to be another organisation’s',
    'entry-differs',
    `${SETTLEMENT}/entries/0/by/organisation`,
    (edit) => edit.set(`${SETTLEMENT}/entries/0/by/organisation`, 'csd-b'),
  ),
  'member-added-to-entry': tampered(
    'an entry says something more',
    'entry-differs',
    `${SETTLEMENT}/entries/3/note`,
    (edit) => edit.set(`${SETTLEMENT}/entries/3/note`, 'approved'),
  ),
  'head-changed': tampered('another last entry is claimed', 'end-differs', `${SETTLEMENT}/head`, (edit) =>
    edit.set(`${SETTLEMENT}/head`, hashOf('other')),
  ),
  'phase-changed': tampered('another end is claimed', 'end-differs', `${SETTLEMENT}/phase`, (edit) =>
    edit.set(`${SETTLEMENT}/phase`, 'cancelled'),
  ),
  'trade-id-changed': tampered('another trade id is claimed', 'end-differs', `${SETTLEMENT}/tradeId`, (edit) =>
    edit.set(`${SETTLEMENT}/tradeId`, 'T-2'),
  ),
};

export const forms = {
  'unknown-host': tampered(
    'the file is said to come from a host of a kind that nobody knows',
    'host-unknown',
    '/host/kind',
    (edit) => edit.set('/host/kind', 'notary'),
  ),
  'not-json': {
    ...tampered('the file is cut off in the middle', 'file-malformed', '', (edit) => edit),
    text: JSON.stringify(good).slice(0, 2000),
  },
  'other-schema': tampered('the file is of a later form', 'file-version-unknown', '/schema', (edit) =>
    edit.set('/schema', 'audit/2'),
  ),
  'unknown-member': tampered('the file has a member that the format does not know', 'file-malformed', '', (edit) =>
    edit.set('/signedOff', true),
  ),
  'nested-too-deep': tampered('something is nested without end', 'file-too-deep', '', (edit) =>
    edit.set(`${LODGE}/call/call/body/fields`, nested(3000)),
  ),
  'calls-no-list': tampered('the calls are no list', 'file-malformed', `${SETTLEMENT}/calls`, (edit) =>
    edit.set(`${SETTLEMENT}/calls`, { length: 5 }),
  ),
  'block-no-integer': tampered('a block number is a fraction', 'file-malformed', `${LODGE}/block`, (edit) =>
    edit.set(`${LODGE}/block`, 2.5),
  ),
  'statement-no-object': tampered('a call holds text where a statement should be', 'call-invalid', HOLDS, (edit) =>
    edit.set(`${HOLDS}/call/call/body/statements/0`, 'effective'),
  ),
  'nothing-asked': tampered('the settlement is only there as context', 'file-malformed', '/settlements', (edit) =>
    edit.set(`${SETTLEMENT}/role`, 'context'),
  ),
};

/** The same trade with other times between its blocks. */
export function toldAnew(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  return scene.evidence([scene.settle('T-1', 2000)]);
}
