import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** What happens between a connector and its system. */
export type ProxyMode =
  /** Nothing. */
  | 'pass'
  /** Requests arrive; the connection breaks when the answer begins. */
  | 'drop-answers'
  /** Requests stay on the way, until `deliver`. */
  | 'keep-requests';

/** A TCP proxy that does what networks do. */
export type FaultyProxy = AsyncDisposable & {
  readonly url: string;
  mode: ProxyMode;
  /** How much of requests is kept on the way; more than nothing where anything is. */
  kept(): number;
  /** Lets the kept requests arrive, even though nobody waits for their answers any more. Resolves when all were answered. */
  deliver(): Promise<void>;
};

export async function createFaultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let kept: { upstream: Socket; bytes: Buffer[] }[] = [];
  let mode: ProxyMode = 'pass';

  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    const waiting = { upstream, bytes: new Array<Buffer>() };
    client.on('data', (bytes) => {
      if (mode !== 'keep-requests') return void upstream.write(bytes);
      waiting.bytes.push(bytes);
      if (!kept.includes(waiting)) kept.push(waiting);
    });
    upstream.on('data', (bytes) => {
      if (mode === 'drop-answers') client.destroy();
      else if (client.writable) client.write(bytes);
    });
    client.on('close', () => {
      if (waiting.bytes.length === 0) upstream.end();
    });
    upstream.on('close', () => client.destroy());
  });
  const url = await listen(server);

  return {
    url,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
    },
    kept: () => kept.reduce((sum, { bytes }) => sum + bytes.reduce((length, one) => length + one.length, 0), 0),
    async deliver() {
      const late = kept;
      kept = [];
      await Promise.all(
        late.map(async ({ upstream, bytes }) => {
          const answered = Promise.race([once(upstream, 'data'), once(upstream, 'close')]);
          upstream.write(Buffer.concat(bytes));
          await answered;
          upstream.end();
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return `http://127.0.0.1:${address.port}`;
}
