import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Fabric's nodes outlive whoever started them. A process that only waits for this one's end ends them, however it comes; gives a way to have it done now. */
export function endAfterThis(data: string): () => Promise<void> {
  const ending = spawn(process.execPath, [join(import.meta.dirname, 'end-fabric-nodes.ts'), data], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()));
  return () => {
    ending.stdin.end();
    return ended;
  };
}
