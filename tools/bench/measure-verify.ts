import { verifyEvidenceText } from '@linkspan/audit';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import type { Verify } from '@linkspan/protocol';
import { EvidenceScene, smallNetwork } from '../audit-vectors/evidence-scene.ts';
import { settleBatch } from '../audit-vectors/valid-files.ts';

/**
 * Prints how many settlements one core verifies in a second, from a batched export (a signature covers 100 calls, statements or certificates)
 * and from an unbatched one (every call, statement and certificate is signed alone), and the share of the time outside signature checks.
 * Usage: node tools/bench/measure-verify.ts [SETTLEMENTS]
 */
useNativeHashes();
const settlements = Number(process.argv[2] ?? 1000);
const BATCH = 100;
const ROUNDS = 5;

measure('batched', batchedExport(settlements));
measure('unbatched', unbatchedExport(Math.ceil(settlements / 4)));

function measure(name: string, { text, count }: { readonly text: string; readonly count: number }): void {
  let best: { readonly totalMs: number; readonly signatureMs: number; readonly checks: number } | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const { verify, spent } = timed();
    const started = process.cpuUsage();
    const verdict = verifyEvidenceText(text, { verify });
    const used = process.cpuUsage(started);
    if (verdict.verdict !== 'complete') throw new Error(JSON.stringify(verdict).slice(0, 400));
    const totalMs = (used.user + used.system) / 1000;
    if (!best || totalMs < best.totalMs) best = { totalMs, ...spent };
  }
  if (!best) return;
  const { totalMs, signatureMs, checks } = best;
  const outside = (100 * (totalMs - signatureMs)) / totalMs;
  const perSecond = Math.round((count * 1000) / totalMs);
  console.log(
    `${name}: ${count} settlements, ${(text.length / 1e6).toFixed(1)} MB, ${totalMs.toFixed(0)} ms of one core = ${perSecond} settlements/s; ` +
      `${checks} signature questions ${signatureMs.toFixed(0)} ms; outside them ${outside.toFixed(0)} % (${((totalMs - signatureMs) / count).toFixed(3)} ms each)`,
  );
}

/** The verify of the command line, with the time that it takes. */
function timed(): { readonly verify: Verify; readonly spent: { signatureMs: number; checks: number } } {
  const verify = createVerify({ memoize: 20_000 });
  const spent = { signatureMs: 0, checks: 0 };
  return {
    spent,
    verify: (key, bytes, signature) => {
      const started = performance.now();
      const answer = verify(key, bytes, signature);
      spent.signatureMs += performance.now() - started;
      spent.checks += 1;
      return answer;
    },
  };
}

function batchedExport(count: number): { readonly text: string; readonly count: number } {
  const scene = new EvidenceScene(smallNetwork());
  const proposals = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) =>
    settleBatch(
      scene,
      Array.from({ length: BATCH }, (_, i) => `T-${batch * BATCH + i}`),
    ),
  ).flat();
  return { text: JSON.stringify(scene.evidence(proposals)), count: proposals.length };
}

function unbatchedExport(count: number): { readonly text: string; readonly count: number } {
  const scene = new EvidenceScene(smallNetwork());
  const proposals = Array.from({ length: count }, (_, i) => scene.settle(`T-${i}`, 1));
  return { text: JSON.stringify(scene.evidence(proposals)), count };
}
