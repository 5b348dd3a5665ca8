import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type Evidence,
  FABRIC_HOST,
  type Finding,
  namesIn,
  readEvidence,
  type Report,
  tellStory,
  verifyEvidenceText,
} from '@linkspan/audit';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import type { BlockFinding } from '@linkspan/ledger';
import { ERRORS, genesisSchema, type Hash, hashSchema, networkId, parse } from '@linkspan/protocol';
import { checkPeriod } from '../check-period.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { fail, type Failure, type Outcome } from '../failure.ts';
import { collectEvidence, listPeriod, readEvidenceAnswer } from '../collect-evidence.ts';
import { findSettlement } from '../find-settlement.ts';
import { labelled } from '../labelled.ts';
import { phaseColour } from '../phase-colour.ts';
import { Progress } from '../progress.ts';
import { paint, plain, shortTime, type Terminal } from '../terminal.ts';
import { fabricLines, trustedFirstBlock, verifyFabric } from '../verify-fabric.ts';

export const audit: Command = {
  name: 'audit',
  usage: 'export ID | export --from INSTANT --to INSTANT | verify FILE',
  summary: 'take the evidence of settlements as a file, and verify such a file offline',
  arguments: [1, 2],
  options: {
    out: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    network: { type: 'string' },
    trust: { type: 'string' },
    'any-network': { type: 'boolean' },
    'first-block': { type: 'string' },
  },
  worksWithoutApi: true,
  completes: {
    positionals: [() => ['export', 'verify'], ([what]) => (what === 'export' ? 'settlement' : 'file')],
    options: { out: 'file', trust: 'file', 'first-block': 'file' },
  },
  help: [
    'export writes everything that proves a settlement, or all that changed in a period: the genesis, what was registered, every call',
    'with its signatures, and the entries that came of them. From Fabric also the blocks, with all that is in them, of others too.',
    '  --out FILE            write it there instead of to standard output',
    '  --from, --to INSTANT  every settlement that changed in this time, such as 2026-11-24T00:00:00Z',
    '',
    'verify runs every call of a file again, with no network and no server, and checks all signatures. It answers complete, incomplete',
    '(all that is there holds, but a settlement has not ended or a certificate lacks signatures), or the first thing that does not hold.',
    '  --network ID          the network that you trust; take its id from elsewhere than the file',
    '  --trust FILE          the same by its genesis document',
    '  --any-network         whichever network it is of; that the file agrees with itself is enough. Without any of the three the answer is',
    '                        the same, and the exit code says that it does not prove more',
    '  --first-block FILE    the first block of the Fabric channel that you trust, or the hash of its header: every call must then be in a',
    '                        block that its orderers signed, in a transaction that enough organisations endorsed',
    'Blocks in the file are checked without it too, under the first block in the file, whose hash is shown.',
    '',
    'Exit codes of verify: 0 complete, 3 refused, 6 incomplete, 8 complete in itself, but of a network that nobody named.',
    '',
    'Examples:',
    '  linkspan audit export 2026-AB-000317 --out evidence.json',
    '  linkspan audit export --from 2026-11-24T00:00:00Z --to 2026-11-25T00:00:00Z --out day.json',
    '  linkspan audit verify evidence.json --network sha256:4b1f…',
    '  linkspan audit verify evidence.json --trust genesis.json --first-block genesis.block',
  ],
  async run(invocation) {
    const [what, subject] = invocation.positionals;
    if (what === 'export') return exportEvidence(invocation, subject);
    if (what === 'verify' && subject !== undefined) return verifyFile(invocation, subject);
    return fail('request-invalid', 'There are `audit export` and `audit verify FILE`. More: linkspan help audit');
  },
};

async function exportEvidence(invocation: Invocation, id: string | undefined): Promise<Outcome<Shown>> {
  const { api, options, folder } = invocation;
  const { from, to, out } = options;
  const isPeriod = typeof from === 'string' && typeof to === 'string';
  if (isPeriod === (id !== undefined)) {
    return fail('request-invalid', 'Name one settlement, or a period with --from and --to.');
  }
  const badPeriod = checkPeriod(options);
  if (badPeriod) return { ok: false, failure: badPeriod };
  const collected = isPeriod
    ? await collectPeriod(invocation, from, to)
    : await findSettlement(api, id ?? '', '/evidence', readEvidenceAnswer);
  if (!collected.ok) return collected;
  const evidence = collected.value;
  if (typeof out !== 'string') return { ok: true, value: { document: evidence, lines: [JSON.stringify(evidence)] } };
  try {
    writeFileSync(resolve(folder, out), `${JSON.stringify(evidence)}\n`);
  } catch (error) {
    return fail('request-invalid', error instanceof Error ? error.message : '', `${out} cannot be written`);
  }
  const asked = evidence.settlements.filter(({ role }) => role === 'asked').length;
  const lines = [`${counted(asked)} of the network ${evidence.network} in ${plain(out)}`];
  return { ok: true, value: { document: { file: out, network: evidence.network, settlements: asked }, lines } };
}

async function collectPeriod({ api, terminal }: Invocation, from: string, to: string): Promise<Outcome<Evidence>> {
  const listed = await listPeriod(api, from, to);
  if (!listed.ok) return listed;
  if (listed.value.length === 0) return fail('not-found', 'Nothing changed in this period.', 'There is no settlement');
  using progress = new Progress(terminal.progress, 'settlements', listed.value.length);
  return await collectEvidence(api, listed.value, () => progress.add(1));
}

function verifyFile(invocation: Invocation, path: string): Outcome<Shown> {
  const { terminal, readInput } = invocation;
  const text = readInput(path);
  if (!text.ok) return fail('request-invalid', 'Name a file that `linkspan audit export` wrote.', text.failure.title);
  const network = trusted(invocation);
  if (!network.ok) return network;
  const firstBlock = trustedFirstBlock(invocation);
  if (!firstBlock.ok) return firstBlock;
  useNativeHashes();
  const verify = createVerify({ memoize: SIGNATURES_REMEMBERED });
  using progress = new Progress(terminal.progress, 'signatures checked', undefined);
  const counting: typeof verify = (...signature) => {
    progress.add(1);
    return verify(...signature);
  };
  const verdict = verifyEvidenceText(text.value, { verify: counting, network: network.value });
  if (verdict.verdict === 'refused') return refused(verdict);
  const evidence = readEvidence(text.value);
  if (!evidence.ok) return refused({ verdict: 'refused', first: evidence.finding });
  const blocks = verifyFabric(evidence.value, firstBlock.value);
  if (!blocks.ok) return refused({ verdict: 'refused', first: blocks.finding });
  const isFabric = evidence.value.host.kind === FABRIC_HOST.kind;
  const proved = isFabric ? fabricLines(terminal, blocks.report) : [];
  const isAnchored = verdict.pinned || invocation.options['any-network'] === true;
  const lines = [
    ...reportLines(terminal, evidence.value, verdict, proved),
    paint(terminal, verdict.verdict === 'complete' && isAnchored ? 'green' : 'yellow', lastWord(verdict, isAnchored)),
  ];
  const failures = verdict.verdict === 'complete' ? [] : [incomplete(verdict)];
  const document = isFabric ? { ...verdict, blocks: blocks.report } : verdict;
  return { ok: true, value: { document, lines, failures, exit: isAnchored ? 0 : UNANCHORED.exit } };
}

const UNANCHORED = ERRORS['evidence-unanchored'];

/** The sentence that stays with the reader. */
function lastWord({ verdict, pinned }: Report & { readonly verdict: string }, isAnchored: boolean): string {
  if (!isAnchored) return `${UNANCHORED.title}: give --network ID.`;
  return pinned ? `The evidence is ${verdict}.` : `The evidence is ${verdict} in itself, of whichever network it is.`;
}

/** A file in which something does not hold: a call or an entry, or a block that should prove them. */
type Refused = { readonly verdict: 'refused'; readonly first: Finding | BlockFinding };

function refused(verdict: Refused): Outcome<Shown> {
  return { ok: true, value: { document: verdict, lines: [], failures: [refusal(verdict)] } };
}

const SIGNATURES_REMEMBERED = 20_000;

/** The network that the reader named, by its id or by its genesis document; undefined for none. */
function trusted({ options, readInput }: Invocation): Outcome<Hash | undefined> {
  const { network, trust, 'any-network': whichever } = options;
  if ([network, trust, whichever].filter((each) => each !== undefined).length > 1)
    return fail('request-invalid', 'Name the network by --network or by --trust, or say --any-network: one of them.');
  if (typeof network === 'string') {
    const id = parse(hashSchema, network, 'request-invalid');
    return id.ok ? id : fail('request-invalid', 'The id of a network is sha256: and 64 digits.');
  }
  if (typeof trust !== 'string') return { ok: true, value: undefined };
  const text = readInput(trust);
  if (!text.ok) return text;
  const genesis = parse(genesisSchema, parseJson(text.value), 'request-invalid');
  return genesis.ok
    ? { ok: true, value: networkId(genesis.value) }
    : fail('request-invalid', genesis.refusal.message, `${trust} is no genesis`);
}

function refusal({ first }: Refused): Failure {
  const failed = fail('evidence-refused', `${first.message} (${first.code})`).failure;
  return {
    ...failed,
    problems: [{ pointer: first.where === '' ? '/' : first.where, message: 'is the first thing that does not hold' }],
  };
}

function incomplete({ settlements }: Report): Failure {
  const missing = settlements.flatMap(({ role, tradeId, missing: texts }) =>
    role === 'asked' ? texts.map((message) => ({ pointer: tradeId, message })) : [],
  );
  return { ...fail('evidence-incomplete', '').failure, problems: missing };
}

/** With more settlements each is one line, without its story. */
const STORIES = 10;

function reportLines(
  terminal: Terminal,
  evidence: Evidence,
  report: Report & { readonly verdict: string },
  proved: readonly string[],
): string[] {
  const names = namesIn(evidence);
  const stories = new Map(evidence.settlements.map((settlement) => [settlement.proposal, settlement]));
  const asked = report.settlements.filter(({ role }) => role === 'asked');
  const lines = [
    ...networkLines(terminal, report),
    ...labelled(
      terminal,
      'checked',
      `${report.calls} calls run again with every signature, ${report.entries} entries compared, ${counted(report.settlements.length)}`,
    ),
    ...labelled(terminal, 'host', `${report.host.kind}: ${report.host.proves}`),
    ...proved,
  ];
  for (const { proposal, tradeId, phase, certificates } of asked) {
    const signed = certificates.map(
      ({ kind, signatures, quorum }) => `${kind} signed by ${signatures} of at least ${quorum}`,
    );
    lines.push(
      '',
      [paint(terminal, 'bold', plain(tradeId)), paint(terminal, phaseColour(phase), phase), ...signed].join('  '),
    );
    const settlement = stories.get(proposal);
    if (!settlement || asked.length > STORIES) continue;
    for (const { sequence, time, by, words } of tellStory(settlement, names)) {
      lines.push(
        `  ${String(sequence).padStart(3)}  ${shortTime(time)}  ${plain(by)}`,
        ...words.map((line) => `         ${line}`),
      );
    }
  }
  return [...lines, ''];
}

function networkLines(terminal: Terminal, { network, pinned }: Report): string[] {
  const line = `network    ${network}`;
  if (pinned) return [line];
  const note = 'as the file says: only its consistency was checked';
  if (line.length + note.length < terminal.columns) return [`${line} ${paint(terminal, 'yellow', note)}`];
  return [line, ...labelled(terminal, '', note, 'yellow')];
}

function counted(settlements: number): string {
  return `${settlements} ${settlements === 1 ? 'settlement' : 'settlements'}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
