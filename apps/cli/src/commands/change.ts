import {
  type ChangesBody,
  ENDPOINTS,
  type EpochsBody,
  type NetworkChange,
  networkChangeSchema,
  parse,
} from '@linkspan/protocol';
import { act, ACTING_HELP, ACTING_OPTIONS } from '../act.ts';
import { answer } from '../api-client.ts';
import { changeInWords } from '../change-in-words.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { fail, type Outcome } from '../failure.ts';
import { table } from '../table.ts';
import { plain, shortId } from '../terminal.ts';

export const change: Command = {
  name: 'change',
  usage:
    'list | admit FILE | remove ORGANISATION | rotate ORGANISATION | validators SYSTEM | revoke OWNER KEY | retire SCENARIO | approve ID | epochs | confirm EPOCH',
  summary: 'change the members of the network, their keys, or which scenarios are in use',
  arguments: [1, 3],
  options: {
    ...ACTING_OPTIONS,
    'call-key': { type: 'string' },
    'certificate-key': { type: 'string' },
    validators: { type: 'string' },
    threshold: { type: 'string' },
    hash: { type: 'string' },
  },
  completes: {
    positionals: [
      () => WORDS,
      ([what]) => (what === 'admit' ? 'file' : what === 'validators' ? 'system' : what === 'retire' ? 'scenario' : []),
    ],
  },
  help: [
    'A change is proposed by one organisation and approved by as many as must sign certificates; whose own keys are replaced is among them. What',
    'touches members or certificate keys makes a new epoch: once approved it is announced, the connected systems are told, and it begins when as many',
    'organisations have confirmed that their systems know it. Everything else happens with the last approval.',
    '',
    'list        every change that was proposed, and how far it has come',
    'admit       the organisation that FILE holds as JSON: {"id","name","economy","callKey","certificateKey"}',
    'remove      an organisation; what is under way goes on, nothing new begins with it',
    'rotate      give an organisation new keys, by --call-key KEY and --certificate-key KEY or one of them',
    'validators  give a system new validators, by --validators KEY,KEY,… and --threshold N',
    'revoke      withdraw a key of an organisation, or of a validator of a system, at once: by its owner alone or by a quorum of the others',
    'retire      take a scenario out of use, by --hash HASH; what began under it goes on',
    'approve     the change with this id for this organisation; read it first, by list',
    'epochs      every epoch; with --json what connected systems take to install it',
    'confirm     that the systems of this organisation know the epoch that is announced',
    '',
    ...ACTING_HELP,
    '',
    'Examples:',
    '  linkspan change rotate central-bank-a --certificate-key secp256k1:71be63f3384f5fb98995898a86b02fb2426c5788',
    '  linkspan change approve sha256:4b1f… --organisation csd-b',
    '  linkspan change epochs --json',
    '  linkspan change confirm 2 --organisation csd-b',
    '  linkspan change revoke central-bank-a ed25519:4b1f…',
  ],
  async run(invocation) {
    const [what = '', subject, key] = invocation.positionals;
    if (what === 'list' && subject === undefined) return list(invocation);
    if (what === 'epochs' && subject === undefined) return epochs(invocation);
    if (what === 'approve' && subject !== undefined && key === undefined) return approve(invocation, subject);
    if (what === 'confirm' && subject !== undefined && key === undefined) return confirm(invocation, subject);
    if (subject === undefined || (key !== undefined) !== (what === 'revoke') || !WORDS.includes(what))
      return fail('request-invalid', `Usage: linkspan change ${change.usage}. More: linkspan help change`);
    const wanted = changeOf(invocation, what, subject, key);
    return wanted.ok ? propose(invocation, wanted.value) : wanted;
  },
};

const WORDS = ['list', 'admit', 'remove', 'rotate', 'validators', 'revoke', 'retire', 'approve', 'epochs', 'confirm'];

function changeOf(
  { options, readInput }: Invocation,
  what: string,
  subject: string,
  key: string | undefined,
): Outcome<NetworkChange> {
  const text = (name: string): string | undefined => {
    const given = options[name];
    return typeof given === 'string' ? given : undefined;
  };
  switch (what) {
    case 'admit': {
      const file = readInput(subject);
      if (!file.ok) return fail('request-invalid', 'Name a file with the organisation as JSON.', file.failure.title);
      return checked({ what, organisation: parseJson(file.value) });
    }
    case 'remove':
      return checked({ what, organisation: subject });
    case 'rotate': {
      const [callKey, certificateKey] = [text('call-key'), text('certificate-key')];
      if (callKey === undefined && certificateKey === undefined)
        return fail('request-invalid', 'Say --call-key, --certificate-key or both.');
      return checked({
        what,
        organisation: subject,
        ...(callKey === undefined ? {} : { callKey }),
        ...(certificateKey === undefined ? {} : { certificateKey }),
      });
    }
    case 'validators':
      return checked({
        what: 'rotate-validators',
        system: subject,
        validators: { keys: (text('validators') ?? '').split(','), threshold: Number(text('threshold')) },
      });
    case 'revoke':
      // Whose key it is, an organisation's or that of a system's validator, the network knows.
      return checked({ what, organisation: subject, key });
    default:
      return checked({ what: 'retire-scenario', scenario: subject, hash: text('hash') });
  }
}

function checked(input: unknown): Outcome<NetworkChange> {
  const read = parse(networkChangeSchema, input, 'request-invalid');
  return read.ok ? { ok: true, value: read.value } : fail('request-invalid', read.refusal.message);
}

/** A key belongs to an organisation, unless the name is that of a system. */
async function ownerResolved({ api }: Invocation, wanted: NetworkChange): Promise<Outcome<NetworkChange>> {
  if (wanted.what !== 'revoke') return { ok: true, value: wanted };
  const found = await api.get(ENDPOINTS.systems.path, answer(ENDPOINTS.systems.answer));
  if (!found.ok) return found;
  const isSystem = found.value.systems.some(({ id }) => id === wanted.organisation);
  return isSystem
    ? checked({ what: 'revoke-validator', system: wanted.organisation, key: wanted.key })
    : { ok: true, value: wanted };
}

async function propose(invocation: Invocation, given: NetworkChange): Promise<Outcome<Shown>> {
  const wanted = await ownerResolved(invocation, given);
  if (!wanted.ok) return wanted;
  const body = { change: wanted.value };
  const proposed = await act(
    invocation,
    ENDPOINTS['propose-change'].path,
    body,
    answer(ENDPOINTS['propose-change'].answer),
  );
  if (!proposed.ok) return proposed;
  const lines = [...changeInWords(wanted.value), standingLine(proposed.value), `id ${proposed.value.change}`];
  return { ok: true, value: { document: proposed.value, lines: lines.map(plain) } };
}

async function approve(invocation: Invocation, id: string): Promise<Outcome<Shown>> {
  const path = ENDPOINTS['approve-change'].path.replace(':id', encodeURIComponent(id));
  const approved = await act(invocation, path, undefined, answer(ENDPOINTS['approve-change'].answer));
  if (!approved.ok) return approved;
  return { ok: true, value: { document: approved.value, lines: [plain(standingLine(approved.value))] } };
}

async function confirm(invocation: Invocation, epoch: string): Promise<Outcome<Shown>> {
  const path = ENDPOINTS['confirm-epoch'].path.replace(':id', encodeURIComponent(epoch));
  const confirmed = await act(invocation, path, undefined, answer(ENDPOINTS['confirm-epoch'].answer));
  if (!confirmed.ok) return confirmed;
  const { begun, confirmed: by } = confirmed.value;
  const line = begun
    ? `Epoch ${epoch} has begun.`
    : `Epoch ${epoch} is confirmed by ${by.join(', ')}, and waits for others.`;
  return { ok: true, value: { document: confirmed.value, lines: [plain(line)] } };
}

function standingLine({ standing, approvals }: Pick<ChangesBody['changes'][number], 'standing' | 'approvals'>): string {
  const by = `Approved by ${approvals.join(', ')}`;
  switch (standing) {
    case 'proposed':
      return `${by}; it waits for others.`;
    case 'announced':
      return `${by}. Its epoch is announced: have the systems install it, then confirm it.`;
    case 'effective':
      return `${by}; it is in effect.`;
  }
}

async function list({ api, terminal }: Invocation): Promise<Outcome<Shown>> {
  const found = await api.get(ENDPOINTS.changes.path, answer(ENDPOINTS.changes.answer));
  if (!found.ok) return found;
  const columns = [
    { title: 'id' },
    { title: 'epoch' },
    { title: 'change', cut: true },
    { title: 'standing' },
    { title: 'approved by', cut: true },
  ] as const;
  const rows = found.value.changes.map(({ id, epoch, change: wanted, standing, approvals }) => [
    terminal.columns === Infinity ? id : shortId(id),
    String(epoch),
    changeInWords(wanted).join(', '),
    standing,
    approvals.join(', '),
  ]);
  const lines = rows.length === 0 ? ['Nothing was ever proposed.'] : table(terminal, columns, rows);
  return { ok: true, value: { document: found.value, lines } };
}

async function epochs({ api, terminal }: Invocation): Promise<Outcome<Shown>> {
  const found = await api.get(ENDPOINTS.epochs.path, answer(ENDPOINTS.epochs.answer));
  if (!found.ok) return found;
  const columns = [
    { title: 'epoch' },
    { title: 'must sign' },
    { title: 'announced' },
    { title: 'begun' },
    { title: 'confirmed by', cut: true },
  ] as const;
  const rows = found.value.epochs.map((each) => rowOf(each));
  const lines = rows.length === 0 ? ['The network is in its first epoch.'] : table(terminal, columns, rows);
  return { ok: true, value: { document: found.value, lines } };
}

function rowOf({ epoch, quorum, members, announcedAt, begunAt, confirmed }: EpochsBody['epochs'][number]): string[] {
  return [String(epoch), `${quorum} of ${members.length}`, announcedAt, begunAt ?? 'not yet', confirmed.join(', ')];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
