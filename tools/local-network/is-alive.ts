import { readFileSync } from 'node:fs';

/** Whether a process runs. One that has ended and was not collected by its parent, as happens in containers, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // Where there is no /proc, the signal has the last word.
    return process.platform !== 'linux';
  }
}
