import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How two sites are connected at the moment. Cut, nothing arrives and nothing is refused, as when a line is dead; what was on the way arrives later. */
export type Link = { readonly delayMs: number; readonly isCut: boolean };

/** A port of a site, and the one on the same host where others reach it through the proxy. */
export type Door = { readonly site: string; readonly host: string; readonly port: number; readonly outside: number };

export type LinkProxy = AsyncDisposable & {
  /** From now on the links between different sites are as the function says; what it leaves out is whole and has no delay. */
  setLinks(between: (from: string, to: string) => Partial<Link>): void;
};

const WHOLE: Link = { delayMs: 0, isCut: false };

/**
 * Stands in front of ports of several sites on this machine and makes the lines between them long, or cuts them. `siteOf` names the site that a connection comes
 * from, by its own port and the one it called (see `processOfConnection`). One from within the site passes unhindered, and so does one of nobody known.
 */
export async function startLinkProxy(
  doors: readonly Door[],
  siteOf: (ownPort: number, calledPort: number) => string | undefined,
): Promise<LinkProxy> {
  let rule: (from: string, to: string) => Partial<Link> = () => WHOLE;
  const lines = new Set<Line>();
  const servers = await Promise.all(
    doors.map((door) =>
      listen(door, (socket) => {
        const from = siteOf(socket.remotePort ?? 0, door.outside);
        const linkNow = (): Link =>
          from === undefined || from === door.site ? WHOLE : { ...WHOLE, ...rule(from, door.site) };
        const line = new Line(socket, door, linkNow, () => lines.delete(line));
        lines.add(line);
      }),
    ),
  );
  return {
    setLinks(between) {
      rule = between;
      for (const line of lines) line.renew();
    },
    async [Symbol.asyncDispose]() {
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const line of lines) line.end();
      await Promise.all(closed);
    },
  };
}

function listen({ host, outside }: Door, accept: (socket: Socket) => void): Promise<Server> {
  // What a site has said to the end is still on its way while the other direction stays open.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(outside, host, () => resolve(server));
  });
}

/** One connection through the proxy. The site is called only when the link lets it through. */
class Line {
  readonly #incoming: Socket;
  readonly #door: Door;
  readonly #link: () => Link;
  readonly #closed: () => void;
  readonly #directions: Direction[] = [];
  #outgoing: Socket | undefined;

  constructor(incoming: Socket, door: Door, link: () => Link, closed: () => void) {
    this.#incoming = incoming;
    this.#door = door;
    this.#link = link;
    this.#closed = closed;
    this.#watch(incoming);
    this.renew();
  }

  renew(): void {
    if (!this.#outgoing && !this.#link().isCut && !this.#incoming.destroyed) this.#call();
    for (const direction of this.#directions) direction.flow();
  }

  end(): void {
    this.#incoming.destroy();
    this.#outgoing?.destroy();
  }

  #call(): void {
    const { host, port } = this.#door;
    const outgoing = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#outgoing = outgoing;
    this.#watch(outgoing);
    this.#directions.push(new Direction(this.#incoming, outgoing, this.#link));
    this.#directions.push(new Direction(outgoing, this.#incoming, this.#link));
  }

  /** Whoever is gone is gone for the other one too, but not before a dead line is whole again: its direction sees to that. */
  #watch(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (this.#incoming.closed && (this.#outgoing?.closed ?? true)) this.#closed();
    });
  }
}

type Piece = { readonly dueMs: number; readonly bytes: Buffer | 'end' | 'gone' };

const MOST_WAITING_BYTES = 1 << 20;

/** One direction of a connection: pieces arrive in their order, each after the delay of the link at the moment it was sent. */
class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #link: () => Link;
  readonly #pieces: Piece[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, link: () => Link) {
    this.#from = from;
    this.#to = to;
    this.#link = link;
    from.on('data', (bytes: Buffer) => {
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > MOST_WAITING_BYTES) from.pause();
      this.#send(bytes);
    });
    from.once('end', () => this.#send('end'));
    from.once('close', () => this.#send('gone'));
  }

  /** Delivers what is due, and looks again when the next piece is. */
  flow(): void {
    clearTimeout(this.#timer);
    if (this.#link().isCut) return;
    for (let [next] = this.#pieces; next; [next] = this.#pieces) {
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flow(), waitMs);
        return;
      }
      this.#pieces.shift();
      this.#deliver(next.bytes);
    }
  }

  #send(bytes: Piece['bytes']): void {
    this.#pieces.push({ dueMs: performance.now() + this.#link().delayMs, bytes });
    if (this.#pieces.length === 1) this.flow();
  }

  #deliver(bytes: Piece['bytes']): void {
    if (bytes === 'gone') this.#to.destroy();
    else if (bytes === 'end') this.#to.end();
    else {
      this.#waitingBytes -= bytes.length;
      if (!this.#to.destroyed) this.#to.write(bytes);
      if (this.#waitingBytes <= MOST_WAITING_BYTES) this.#from.resume();
    }
  }
}

/** Which of the processes holds that end of a connection on this machine which has these ports. Only Linux tells; undefined when none of them does. */
export function processOfConnection(
  ownPort: number,
  otherPort: number,
  processes: readonly number[],
): number | undefined {
  const inode = inodeOf(ownPort, otherPort);
  return inode === undefined ? undefined : processes.find((pid) => holdsSocket(pid, inode));
}

/** The kernel writes ports as four hexadecimal digits after the address, and the socket's inode in the tenth column. */
function inodeOf(ownPort: number, otherPort: number): string | undefined {
  const ends = [ownPort, otherPort].map((port) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`);
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const columns = textOf(table)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([, local, remote]) => local?.endsWith(ends[0] ?? '') && remote?.endsWith(ends[1] ?? ''));
    if (columns?.[9] !== undefined) return columns[9];
  }
  return undefined;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function holdsSocket(pid: number, inode: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((name) => linkTarget(`${folder}/${name}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}

/** A descriptor may be closed between the listing and the look at it. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
