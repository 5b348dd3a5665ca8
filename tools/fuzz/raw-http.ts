import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What goes over one connection, byte for byte. */
export type RawRequest = {
  readonly head: string;
  readonly body: Buffer;
  /** `half` closes after part of the body, `abandoned` resets there, `slow` sends it in a few pieces. */
  readonly delivery: 'whole' | 'slow' | 'half' | 'abandoned';
  /** Comes after the request over the same connection. */
  readonly behind: Buffer;
  /** Whether nothing more will come, so that a server that waits for more learns that it waits in vain. */
  readonly ends: boolean;
};

/** The first answer on the connection; `closed` where it ended without one, `silent` where nothing came within the deadline. */
export type RawAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: Buffer;
    }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent' };

/** Sends one request over a connection of its own and reads the first answer. Of an event stream only the head is read. */
export function exchange(port: number, request: RawRequest, deadlineMs: number): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    const finish = (answer: RawAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish({ kind: 'silent' }), deadlineMs);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const answer = parseAnswer(Buffer.concat(chunks), false);
      if (answer) finish(answer);
    });
    const ended = (): void => finish(parseAnswer(Buffer.concat(chunks), true) ?? { kind: 'closed' });
    // A reset after the answer was sent is how a server refuses to read on; what came before counts.
    socket.on('error', ended);
    socket.on('close', ended);
    socket.on('connect', () => void deliver(socket, request));
  });
}

async function deliver(socket: ReturnType<typeof connect>, request: RawRequest): Promise<void> {
  const { head, body, delivery, behind, ends } = request;
  const half = body.subarray(0, Math.floor(body.length / 2));
  socket.write(Buffer.from(head, 'latin1'));
  if (delivery === 'half') socket.end(half);
  else if (delivery === 'abandoned') {
    socket.write(half);
    // The server has begun to read by then, most of the time; either way it must survive.
    await delay(5);
    socket.resetAndDestroy();
  } else if (delivery === 'slow') {
    for (const piece of [half, body.subarray(half.length)]) {
      await delay(20);
      if (!socket.destroyed) socket.write(piece);
    }
  } else socket.write(Buffer.concat([body, behind]));
  if (ends && !socket.destroyed) socket.end();
}

/** The answer at the beginning of what came, once it is whole. */
function parseAnswer(bytes: Buffer, ended: boolean): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(first)?.[1]);
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = bytes.subarray(end + 4);
  if (status === 100) return parseAnswer(rest, ended);
  const length = headers.get('content-length');
  if (headers.get('content-type')?.startsWith('text/event-stream'))
    return { kind: 'answer', status, headers, body: rest };
  if (length !== undefined) {
    const body = rest.subarray(0, Number(length));
    return ended || rest.length >= Number(length) ? { kind: 'answer', status, headers, body } : undefined;
  }
  if (headers.get('transfer-encoding') === 'chunked') {
    const body = dechunk(rest);
    return body ? { kind: 'answer', status, headers, body } : undefined;
  }
  return ended || status === 204 || status === 304 ? { kind: 'answer', status, headers, body: rest } : undefined;
}

function dechunk(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (size === 0) return Buffer.concat(parts);
    if (!(size > 0) || bytes.length < line + 2 + size + 2) return undefined;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
