import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAlive } from './is-alive.ts';

/**
 * Calls back when whoever started this process is gone: npm ends on a signal without passing it on to what runs below its shell. Does nothing where
 * npm did not start it: a program that is started by hand may outlive its terminal.
 */
export function onStarterGone(gone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined || process.platform === 'win32') return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || isAlive(npm))) return;
    clearInterval(timer);
    gone();
  }, LOOK_AGAIN_MS);
  timer.unref();
}

const LOOK_AGAIN_MS = 500;

/** The parent of a process, from the kernel's own files or from `ps`; undefined where neither tells. */
function parentOf(pid: number): number | undefined {
  for (const read of [
    () => /^PPid:\s*([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
    () =>
      execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ]) {
    try {
      const parent = Number(read());
      if (parent > 0) return parent;
    } catch {
      // Another system, or one without `ps`.
    }
  }
  return undefined;
}
