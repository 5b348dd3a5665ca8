import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CERTIFICATE_KINDS, type CertificatesBody, ENDPOINTS, type SystemCertificate } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { fail, type Outcome } from '../failure.ts';
import { findSettlement } from '../find-settlement.ts';
import { table } from '../table.ts';
import { plain, type Terminal } from '../terminal.ts';

export const certificate: Command = {
  name: 'certificate',
  usage: 'ID [--kind KIND] [--out FILE]',
  summary: 'the signed decision as connected systems take it, to bring it by hand',
  arguments: [1, 1],
  options: { kind: { type: 'string' }, out: { type: 'string' } },
  completes: { positionals: [() => 'settlement'], options: { kind: CERTIFICATE_KINDS, out: 'file' } },
  help: [
    'ID is a trade id, a settlement or proposal id, or the beginning of one (8 digits or more).',
    '',
    'Shows which certificates the settlement calls for and how many organisations have signed them. With --kind it writes one as JSON,',
    'in the form that systems take: anybody may bring it to a system to execute, release or fence what it names.',
    '',
    '  --kind KIND  commit, abort, proceed or fence',
    '  --out FILE   write it there instead of to standard output; without --kind if there is only one',
    '',
    'It takes the signatures on the ledger and those that the organisation has gathered. While fewer than the quorum are known, there',
    'is no certificate, and the exit code is 6.',
    '',
    'Examples:',
    '  linkspan certificate 2026-AB-000317',
    '  linkspan certificate 2026-AB-000317 --kind abort --out abort.json',
  ],
  async run(invocation) {
    const { api, options, positionals, terminal } = invocation;
    const { kind, out } = options;
    if (kind !== undefined && !CERTIFICATE_KINDS.some((known) => known === kind))
      return fail('request-invalid', `--kind is ${CERTIFICATE_KINDS.join(', ')}.`);
    const found = await findSettlement(
      api,
      positionals[0] ?? '',
      '/certificates',
      answer(ENDPOINTS.certificates.answer),
    );
    if (!found.ok) return found;
    if (kind === undefined && out === undefined)
      return { ok: true, value: { document: found.value, lines: overview(terminal, found.value) } };
    const chosen = choose(found.value, typeof kind === 'string' ? kind : undefined);
    return chosen.ok ? hand(invocation, chosen.value) : chosen;
  },
};

function overview(terminal: Terminal, { certificates }: CertificatesBody): string[] {
  if (certificates.length === 0) return ['The settlement calls for no certificate yet.'];
  const columns = [
    { title: 'kind' },
    { title: 'signatures', align: 'right' },
    { title: 'quorum', align: 'right' },
    { title: 'certificate', cut: true },
  ] as const;
  const hasChanged = new Set(certificates.map(({ epoch }) => epoch)).size > 1;
  const rows = certificates.map((each) => [
    hasChanged ? `${each.kind} of epoch ${each.epoch}` : each.kind,
    String(each.signatures),
    String(each.quorum),
    each.certificate
      ? `names ${counted(each.certificate.certificate.operations.length)}`
      : 'not there yet: too few signatures over one block',
  ]);
  return table(terminal, columns, rows);
}

/** The certificate of a kind, or of the only one; of several epochs the latest that has its quorum. */
function choose({ certificates }: CertificatesBody, kind: string | undefined): Outcome<SystemCertificate> {
  const fitting = certificates.filter((each) => kind === undefined || each.kind === kind);
  const chosen = fitting.findLast(({ certificate: signed }) => signed !== null) ?? fitting.at(-1);
  const other = fitting.find((each) => each.kind !== chosen?.kind);
  const kinds = certificates.map((each) => each.kind).join(', ') || 'none yet';
  if (!chosen) return fail('not-found', `It calls for: ${kinds}.`, 'The settlement calls for no such certificate');
  if (other) return fail('request-invalid', `Say --kind: it calls for ${kinds}.`);
  if (chosen.certificate) return { ok: true, value: chosen.certificate };
  return fail(
    'evidence-incomplete',
    `${chosen.signatures} of ${chosen.quorum} signatures are known here. Ask another organisation with --organisation, or later.`,
    `There is no ${chosen.kind} certificate yet`,
  );
}

function hand({ options: { out }, folder }: Invocation, signed: SystemCertificate): Outcome<Shown> {
  const text = JSON.stringify(signed, null, 2);
  if (typeof out !== 'string') return { ok: true, value: { document: signed, lines: text.split('\n') } };
  try {
    writeFileSync(resolve(folder, out), `${text}\n`);
  } catch (error) {
    return fail('request-invalid', error instanceof Error ? error.message : '', `${out} cannot be written`);
  }
  const { kind, operations } = signed.certificate;
  const lines = [`The ${kind} certificate is in ${plain(out)}; it names ${counted(operations.length)}.`];
  return { ok: true, value: { document: { file: out, kind, operations }, lines } };
}

function counted(operations: number): string {
  return operations === 1 ? 'one operation' : `${operations} operations`;
}
