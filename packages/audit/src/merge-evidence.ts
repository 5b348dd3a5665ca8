import { accept, canonicalJson, refuse, type Result } from '@linkspan/protocol';
import type { ArchivedCall, Evidence, FabricBlocks, SettlementEvidence } from './evidence.ts';

/** One file of several of the same network. A settlement that is in more than one is taken from where it went furthest. */
export function mergeEvidence(files: readonly Evidence[]): Result<Evidence> {
  const [first] = files;
  if (!first) return refuse('request-invalid', 'There is no evidence to merge.');
  const environment = new Map<string, ArchivedCall>();
  const settlements = new Map<string, SettlementEvidence>();
  for (const file of files) {
    if (file.network !== first.network)
      return refuse('network-mismatch', `The files are of ${first.network} and of ${file.network}.`);
    for (const archived of file.environment) environment.set(`${archived.block} ${archived.index}`, archived);
    for (const settlement of file.settlements)
      settlements.set(settlement.proposal, further(settlements.get(settlement.proposal), settlement));
  }
  if (files.some(({ genesis }) => canonicalJson(genesis) !== canonicalJson(first.genesis)))
    return refuse('network-mismatch', 'The files have different genesis documents.');
  return accept({
    ...first,
    environment: [...environment.values()].toSorted(byPlace),
    settlements: [...settlements.values()].toSorted(byBeginning),
    ...mergeBlocks(files),
  });
}

/**
 * Every block once. Organisations may have other signatures of orderers on the same block, of which any will do. Where a file has no blocks,
 * the calls of that file stay without, which the verifier tells.
 */
function mergeBlocks(files: readonly Evidence[]): { fabric?: FabricBlocks } {
  const all = files.flatMap(({ fabric }) => fabric ?? []);
  const [first] = all;
  if (!first) return {};
  const blocks = new Map<number, FabricBlocks['blocks'][number]>();
  for (const block of all.flatMap((each) => each.blocks))
    if (!blocks.has(block.number)) blocks.set(block.number, block);
  return { fabric: { ...first, blocks: [...blocks.values()].toSorted((a, b) => a.number - b.number) } };
}

function further(a: SettlementEvidence | undefined, b: SettlementEvidence): SettlementEvidence {
  if (!a) return b;
  const longer = b.calls.length > a.calls.length ? b : a;
  return { ...longer, role: a.role === 'asked' || b.role === 'asked' ? 'asked' : 'context' };
}

function byBeginning(a: SettlementEvidence, b: SettlementEvidence): number {
  const [first, second] = [a.calls[0], b.calls[0]];
  return first && second ? byPlace(first, second) : 0;
}

function byPlace(a: ArchivedCall, b: ArchivedCall): number {
  return a.block - b.block || a.index - b.index;
}
