import { verifyEvidence } from '@linkspan/audit';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import { verifyChain } from '@linkspan/ledger';
import { ENDS, Fault, type Hash } from '@linkspan/protocol';
import type { NamedApi } from '../command.ts';
import { collectEvidence, listPeriod } from '../collect-evidence.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { bad, type Finding, good, warning } from './finding.ts';

/** So many settlements are verified as one file: what they have in common is checked once for all of them. */
const BATCH = 100;
const SIGNATURES_REMEMBERED = 50_000;
const [BEGINNING, END] = ['1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z'] as const;
const WHAT_TO_DO =
  'Stop lodging, keep the ledger and its backups as they are, and compare with another organisation’s: linkspan doctor --full --organisation ID.';

/** Takes the evidence of every settlement from an API and runs every call of it again, with every signature. */
export async function checkEvidence(
  { name, api }: NamedApi,
  network: Hash | undefined,
  terminal: Terminal,
): Promise<Finding[]> {
  const listed = await listPeriod(api, BEGINNING, END);
  if (!listed.ok)
    return [
      bad(
        'evidence',
        'ledger-unavailable',
        `${name} gives no evidence: ${listed.failure.title}.`,
        listed.failure.detail,
      ),
    ];
  useNativeHashes();
  const verify = createVerify({ memoize: SIGNATURES_REMEMBERED });
  using progress = new Progress(terminal.progress, 'settlements run again', listed.value.length);
  const incomplete: string[] = [];
  let calls = 0;
  for (let at = 0; at < listed.value.length; at += BATCH) {
    const evidence = await collectEvidence(api, listed.value.slice(at, at + BATCH), () => progress.add(1));
    if (!evidence.ok)
      return [
        bad(
          'evidence',
          'ledger-unavailable',
          `${name} gives no evidence: ${evidence.failure.title}.`,
          evidence.failure.detail,
        ),
      ];
    const verdict = verifyEvidence(evidence.value, { verify, network });
    if (verdict.verdict === 'refused')
      return [
        bad(
          'evidence',
          'evidence-refused',
          `The ledger of ${name} does not hold: ${verdict.first.message} (${verdict.first.code} at ${verdict.first.where})`,
          WHAT_TO_DO,
        ),
      ];
    calls += verdict.calls;
    incomplete.push(
      ...verdict.settlements.flatMap(({ role, phase, tradeId, missing }) =>
        role === 'asked' && ENDS.includes(phase) ? missing.map((words) => `${tradeId}: ${words}`) : [],
      ),
    );
  }
  const words = `Every call of ${listed.value.length} settlements was run again, ${calls} in all, with every signature and hash: it holds.`;
  return [
    good('evidence', words),
    ...(incomplete.length === 0
      ? []
      : [
          warning(
            'certificates',
            `${incomplete.length} settlements that ended lack signatures.`,
            ...incomplete.slice(0, 5),
          ),
        ]),
  ];
}

/** Checks the file of an embedded ledger on this machine from its first block to its last, beside the process that writes it. */
export function checkArchive(directory: string): Finding {
  try {
    const { blocks, keys, hash } = verifyChain(directory);
    return good(
      'archive',
      `The ledger in ${directory} holds: ${blocks} blocks in one chain to ${hash}, ${keys} values as they wrote them.`,
    );
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code !== 'storage-corrupt')
      return bad('archive', error.code, `The ledger in ${directory} cannot be checked: ${error.message}`);
    return bad(
      'archive',
      'storage-corrupt',
      `The ledger in ${directory} does not hold together: ${error.message}`,
      WHAT_TO_DO,
      'docs/guides has how to restore one from a backup.',
    );
  }
}
