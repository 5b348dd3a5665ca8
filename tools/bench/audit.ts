import { verifyEvidenceText } from '@linkspan/audit';
import { createVerify } from '@linkspan/keys';
import type { Verify } from '@linkspan/protocol';
import { EvidenceScene, smallNetwork } from '../audit-vectors/evidence-scene.ts';
import { settleBatch } from '../audit-vectors/valid-files.ts';

/** What it costs to verify an export of so many settlements, on one core: the best of some rounds. Times are of CPU, in milliseconds. */
export type AuditRound = {
  readonly name: 'batched' | 'unbatched';
  readonly settlements: number;
  readonly megabytes: number;
  readonly cpuMs: number;
  /** Of that, in checks of signatures, and how many were asked for. */
  readonly signatureMs: number;
  readonly signatureChecks: number;
};

const BATCH = 100;
const ROUNDS = 5;
const SIGNATURES_REMEMBERED = 20_000;

/** From a batched export (a signature covers 100 calls, statements or certificates) and from an unbatched one (every one is signed alone). */
export function benchAudit(settlements: number): { readonly audit: readonly AuditRound[] } {
  return {
    audit: [measured('batched', batchedExport(settlements)), measured('unbatched', unbatchedExport(settlements / 4))],
  };
}

export function printAudit({ audit }: { readonly audit: readonly AuditRound[] }, out: (text: string) => unknown): void {
  for (const { name, settlements, megabytes, cpuMs, signatureMs, signatureChecks } of audit) {
    const perSecond = Math.round((settlements * 1000) / cpuMs);
    const outside = (100 * (cpuMs - signatureMs)) / cpuMs;
    const size = `${settlements} settlements, ${megabytes.toFixed(1)} MB, ${cpuMs.toFixed(0)} ms of one core`;
    out(`${name}: ${size} = ${perSecond} settlements/s; ${signatureChecks} signatures asked for, `);
    out(`${signatureMs.toFixed(0)} ms; ${outside.toFixed(0)} % outside them\n`);
  }
}

type Export = { readonly text: string; readonly count: number };

function measured(name: AuditRound['name'], { text, count }: Export): AuditRound {
  const rounds = Array.from({ length: ROUNDS }, (): AuditRound => {
    const { verify, spent } = timed();
    const started = process.cpuUsage();
    const verdict = verifyEvidenceText(text, { verify });
    const used = process.cpuUsage(started);
    if (verdict.verdict !== 'complete') throw new Error(JSON.stringify(verdict).slice(0, 400));
    const cpuMs = (used.user + used.system) / 1000;
    return { name, settlements: count, megabytes: text.length / 1e6, cpuMs, ...spent };
  });
  return rounds.reduce((best, round) => (round.cpuMs < best.cpuMs ? round : best));
}

/** The verify of the command line, with the time that it takes. */
function timed(): {
  readonly verify: Verify;
  readonly spent: { signatureMs: number; signatureChecks: number };
} {
  const verify = createVerify({ memoize: SIGNATURES_REMEMBERED });
  const spent = { signatureMs: 0, signatureChecks: 0 };
  return {
    spent,
    verify: (key, bytes, signature) => {
      const started = performance.now();
      const answer = verify(key, bytes, signature);
      spent.signatureMs += performance.now() - started;
      spent.signatureChecks += 1;
      return answer;
    },
  };
}

function batchedExport(count: number): Export {
  const scene = new EvidenceScene(smallNetwork());
  const proposals = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) =>
    settleBatch(
      scene,
      Array.from({ length: BATCH }, (_, i) => `T-${batch * BATCH + i}`),
    ),
  ).flat();
  return { text: JSON.stringify(scene.evidence(proposals)), count: proposals.length };
}

function unbatchedExport(count: number): Export {
  const scene = new EvidenceScene(smallNetwork());
  const proposals = Array.from({ length: Math.ceil(count) }, (_, i) => scene.settle(`T-${i}`, 1));
  return { text: JSON.stringify(scene.evidence(proposals)), count: proposals.length };
}
