import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Evidence } from '@linkspan/audit';
import { type BlockFinding, type BlocksReport, hashOfFirstBlock, verifyBlocks } from '@linkspan/ledger';
import { type Hash, hashSchema, parse } from '@linkspan/protocol';
import type { Invocation } from './command.ts';
import { fail, type Outcome } from './failure.ts';
import { labelled } from './labelled.ts';
import { plain, type Terminal } from './terminal.ts';

/** What the blocks of a file prove; null where it has none and the reader asked for none. */
export type FabricProof =
  | { readonly ok: true; readonly report: BlocksReport | null }
  | { readonly ok: false; readonly finding: BlockFinding };

/** The hash of the channel's first block that the reader named, by itself or by a file with the block; undefined for none. */
export function trustedFirstBlock({
  options,
  folder,
}: Pick<Invocation, 'options' | 'folder'>): Outcome<Hash | undefined> {
  const named = options['first-block'];
  if (typeof named !== 'string') return { ok: true, value: undefined };
  const hash = parse(hashSchema, named, 'request-invalid');
  if (hash.ok) return hash;
  try {
    return { ok: true, value: hashOfFirstBlock(readFileSync(resolve(folder, named))) };
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    return fail('request-invalid', why, `${named} is neither sha256: with 64 digits nor a channel's first block`);
  }
}

export function verifyFabric(evidence: Evidence, firstBlock: Hash | undefined): FabricProof {
  const { fabric, environment, settlements } = evidence;
  if (fabric) {
    const verdict = verifyBlocks({ fabric, environment, settlements }, firstBlock);
    return verdict.ok ? { ok: true, report: verdict.value } : verdict;
  }
  if (firstBlock === undefined) return { ok: true, report: null };
  const message = 'The file has no blocks, so that nothing in it can be held against a channel.';
  return { ok: false, finding: { where: '/fabric', code: 'block-missing', message } };
}

/** What a reader is told of the blocks. */
export function fabricLines(terminal: Terminal, report: BlocksReport | null): string[] {
  if (!report) {
    const none = 'none in the file: the order and times of calls are the word of who wrote it';
    return labelled(terminal, 'blocks', none, 'yellow');
  }
  const { pinned, blocks, transactions, configurations, proves, doesNotProve } = report;
  const checked = `${blocks} with ${transactions} transactions of the contract and ${configurations} configurations`;
  return [
    ...labelled(terminal, 'blocks', `${checked}; chain, contents, orderers and endorsements checked`),
    ...labelled(terminal, '', plain(proves), pinned ? undefined : 'yellow'),
    ...labelled(terminal, '', doesNotProve),
  ];
}
