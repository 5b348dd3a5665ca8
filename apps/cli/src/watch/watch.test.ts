import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isObject } from '../failure.ts';
import type { LiveTerminal } from '../terminal.ts';
import { call, type Called, startTestApi, type TestApi } from '../test-support.ts';

const PATIENCE_MS = 20_000;

let api: TestApi;

before(async () => {
  api = await startTestApi();
});

after(() => api[Symbol.asyncDispose]());

test('the plain watch tells each change once, also after the connection broke, and Ctrl-C ends it with exit code 0', async () => {
  await using way = await breakableWay(api.urls['central-bank-a'] ?? '');
  using watching = follow(['watch', '--plain', '--profile', profileBy(way.url)]);
  await way.streaming();
  await lodge('WATCH-1', 'central-bank-a');
  await watching.says(/WATCH-1 {2}Central Bank of A lodged its instruction$/m);
  way.break();
  await watching.complains(/^connection lost, trying again/m);
  await lodge('WATCH-1', 'csd-b');
  await watching.says(/WATCH-1 {2}now preparing$/m);
  const { exit, out } = await watching.interrupt();
  assert.equal(exit, 0);
  assert.equal(out.match(/lodged its instruction/g)?.length, 2);
  assert.equal(out.match(/now preparing/g)?.length, 1);
});

test('on a terminal the board is drawn in place, says that the connection is lost, and gives the screen back', async () => {
  await using way = await breakableWay(api.urls['central-bank-a'] ?? '');
  const screen = new Screen();
  using watching = follow(['watch', '--profile', profileBy(way.url)], screen);
  await way.streaming();
  await lodge('LIVE-1', 'central-bank-a');
  await screen.shows(/ LIVE-1 +proposed +waits for csd-b/);
  way.break('for good');
  await screen.shows(/connection lost, trying again/);
  way.mend();
  await lodge('LIVE-1', 'csd-b');
  await screen.shows(/ LIVE-1 +preparing +earmark[^]*fcy .* 6,711\.41 USD .* asked to hold/);
  const { exit } = await watching.interrupt();
  assert.equal(exit, 0);
  assert.ok(screen.written.startsWith('\u001B[?1049h') && screen.written.endsWith('\u001B[?1049l'));
});

test('one settlement is watched with what happens to it, and one that does not exist is not found', async () => {
  await lodge('ONE-1', 'central-bank-a');
  const screen = new Screen();
  using watching = follow(['watch', 'ONE-1'], screen);
  await screen.shows(/ ONE-1 +proposed/);
  await lodge('ONE-2', 'central-bank-a');
  await lodge('ONE-1', 'csd-b');
  await screen.shows(/both sides match/);
  await watching.interrupt();
  assert.doesNotMatch(screen.written, /ONE-2/);
  assert.equal((await call(api.folder, ['watch', 'NOTHING'])).exit, 4);
});

test('events are documents in lines, from any block on, and end after as many as are wanted', async () => {
  const { exit, out } = await call(api.folder, ['events', '--from', '0', '--limit', '2']);
  assert.equal(exit, 0);
  const documents = out.split('\n').map((line): unknown => JSON.parse(line));
  assert.equal(documents.length, 2);
  for (const document of documents)
    assert.ok(typeof document === 'object' && document !== null && 'changes' in document && 'words' in document);
  assert.equal((await call(api.folder, ['events', '--from', 'now'])).exit, 2);
  assert.equal((await call(api.folder, ['events', '--from', '999999'])).exit, 2, 'beyond the end of the ledger');
});

async function lodge(tradeId: string, organisation: string): Promise<void> {
  const { exit, error } = await call(api.folder, [
    'instruct',
    api.write(`${tradeId}.json`, instructionOf(tradeId)),
    '--organisation',
    organisation,
    '--key',
    `${tradeId} ${organisation}`,
  ]);
  assert.equal(exit, 0, error);
}

const instructions = new Map<string, object>();

/** Both sides lodge the same one, with the same instants. */
function instructionOf(tradeId: string): object {
  const known = instructions.get(tradeId) ?? api.instruction(tradeId);
  instructions.set(tradeId, known);
  return known;
}

/** A profile that leads to the API of the organisation that speaks by another way; its access tokens come as ever. */
function profileBy(url: string): string {
  const profile: unknown = JSON.parse(readFileSync(join(api.folder, 'var', 'profile.json'), 'utf8'));
  assert.ok(isObject(profile) && isObject(profile['organisations']));
  const { organisations } = profile;
  const speaker = organisations['central-bank-a'];
  assert.ok(isObject(speaker));
  const changed = { ...profile, organisations: { ...organisations, 'central-bank-a': { ...speaker, api: url } } };
  return api.write('var/way.json', changed);
}

type Watching = Disposable & {
  says(pattern: RegExp): Promise<void>;
  complains(pattern: RegExp): Promise<void>;
  interrupt(): Promise<Called>;
};

/** A command that goes on until it is interrupted. */
function follow(args: readonly string[], screen?: Screen): Watching {
  const stop = new AbortController();
  const heard = { out: '', error: '' };
  const listeners = new Set<() => void>();
  const called = call(api.folder, args, {
    interrupted: stop.signal,
    ...(screen ? { live: screen } : {}),
    onLine: (where, line) => {
      heard[where] += `${line}\n`;
      for (const wake of listeners) wake();
    },
  });
  const until = (where: 'out' | 'error', pattern: RegExp): Promise<void> =>
    eventually(
      (wake) => listeners.add(wake),
      () => pattern.test(heard[where]),
      () => `${pattern} in\n${heard[where]}`,
    );
  return {
    says: (pattern) => until('out', pattern),
    complains: (pattern) => until('error', pattern),
    async interrupt() {
      stop.abort();
      return await called;
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** A terminal of 100 columns and 30 rows as one sees it: cursor addressing, clearing and text are all that the board uses. */
class Screen implements LiveTerminal {
  written = '';
  readonly #rows = Array.from({ length: 30 }, () => '');
  readonly #listeners = new Set<() => void>();

  write(text: string): void {
    this.written += text;
    for (const [, row, line = ''] of text.matchAll(/\p{Cc}\[(\d+);1H(.*?)\p{Cc}\[0m\p{Cc}\[K/gu))
      this.#rows[Number(row) - 1] = line;
    for (const wake of this.#listeners) wake();
  }

  size(): { readonly columns: number; readonly rows: number } {
    return { columns: 100, rows: 30 };
  }

  onResize(): () => void {
    return () => undefined;
  }

  shows(pattern: RegExp): Promise<void> {
    return eventually(
      (wake) => this.#listeners.add(wake),
      () => pattern.test(this.#rows.join('\n')),
      () => `${pattern} on\n${this.#rows.join('\n')}`,
    );
  }
}

/** Resolves when something holds, looked at whenever `listen` wakes it. */
async function eventually(listen: (wake: () => void) => void, holds: () => boolean, what: () => string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new assert.AssertionError({ message: `waited too long for ${what()}` })),
      PATIENCE_MS,
    );
    const look = (): void => {
      if (!holds()) return;
      clearTimeout(late);
      resolve();
    };
    listen(look);
    look();
  });
}

/** A way to an API that can be cut. */
async function breakableWay(target: string) {
  const sockets = new Set<Socket>();
  const { hostname, port } = new URL(target);
  let isOpen = true;
  let isStreaming = false;
  const listeners = new Set<() => void>();
  const server = createServer((socket) => {
    if (!isOpen) return void socket.destroy();
    const there = connect(Number(port), hostname);
    for (const each of [socket, there]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        socket.destroy();
        there.destroy();
      });
    }
    there.on('data', (data: Buffer) => {
      isStreaming ||= data.includes('content-type: text/event-stream');
      for (const wake of listeners) wake();
    });
    socket.pipe(there);
    there.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    streaming: () =>
      eventually(
        (wake) => listeners.add(wake),
        () => isStreaming,
        () => 'the stream',
      ),
    break(how?: 'for good') {
      isOpen = how !== 'for good';
      cut();
    },
    mend() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
