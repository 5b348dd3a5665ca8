import { createServer } from 'node:net';
import { CannotRun } from './cannot-run.ts';

/** Refuses ports on loopback that cannot be listened on, all in one sentence. Who takes one a moment later is told of by the process that needs it. */
export async function refuseUsedPorts(ports: Readonly<Record<string, number>>): Promise<void> {
  const found = await Promise.all(Object.values(ports).map(async (port) => ({ port, code: await tryPort(port) })));
  const used = found.filter(({ code }) => code !== undefined);
  if (used.length === 0) return;
  const more = used.length > SHOWN ? ` and ${used.length - SHOWN} more` : '';
  const list =
    used
      .slice(0, SHOWN)
      .map(({ port }) => port)
      .join(', ') + more;
  const one = used.length === 1;
  const why = used.every(({ code }) => code === 'EADDRINUSE')
    ? `${one ? 'is' : 'are'} used by another program: end it`
    : `cannot be listened on (${[...new Set(used.map(({ code }) => code))].join(', ')}): allow it`;
  throw new CannotRun(`Port${one ? '' : 's'} ${list} ${why}, or choose others with --port-base.`);
}

const SHOWN = 3;

function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}
