import { type Evidence, mergeEvidence, parseEvidence } from '@linkspan/audit';
import { accept, ENDPOINTS, type Hash, refuse, type Result } from '@linkspan/protocol';
import { answer, type ApiClient } from './api-client.ts';
import { fail, type Outcome } from './failure.ts';

/** How many settlements are asked for at once. */
const AT_ONCE = 4;

/** The proposals that changed in a period, in the order of the ledger. */
export async function listPeriod(api: ApiClient, from: string, to: string): Promise<Outcome<readonly Hash[]>> {
  const proposals: Hash[] = [];
  for (let after = ''; ;) {
    const path = `${ENDPOINTS['evidence-period'].path}?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}${after}`;
    const page = await api.get(path, answer(ENDPOINTS['evidence-period'].answer));
    if (!page.ok) return page;
    proposals.push(...page.value.proposals);
    if (page.value.next === null) return { ok: true, value: proposals };
    after = `&after=${encodeURIComponent(page.value.next)}`;
  }
}

/** The evidence of some settlements as one file; `collected` is called after each. */
export async function collectEvidence(
  api: ApiClient,
  proposals: readonly Hash[],
  collected: () => void,
): Promise<Outcome<Evidence>> {
  const files: Evidence[] = [];
  for (let at = 0; at < proposals.length; at += AT_ONCE) {
    const answers = await Promise.all(
      proposals.slice(at, at + AT_ONCE).map(async (id) => {
        const file = await api.get(ENDPOINTS.evidence.path.replace(':id', encodeURIComponent(id)), readEvidenceAnswer);
        collected();
        return file;
      }),
    );
    for (const file of answers) {
      if (!file.ok) return file;
      files.push(file.value);
    }
  }
  const merged = mergeEvidence(files);
  return merged.ok ? merged : fail('internal', merged.refusal.message);
}

export function readEvidenceAnswer(body: unknown): Result<Evidence> {
  const read = parseEvidence(body);
  return read.ok ? accept(read.value) : refuse('internal', read.finding.message);
}
