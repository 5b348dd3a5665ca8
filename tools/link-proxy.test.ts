import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { type LinkProxy, processOfConnection, startLinkProxy } from './link-proxy.ts';

test('what was sent over a dead line arrives when it is whole again, in its order, and nobody is refused meanwhile', async () => {
  await using scene = await openScene(() => 'north');
  const early = await scene.call();
  await said(early, 'one');
  scene.proxy.setLinks(() => ({ isCut: true }));
  early.write('two');
  const late = await scene.call();
  late.write('three');
  const answers = Promise.all([hears(early, 'two'), hears(late, 'three')]);
  // What goes round the proxy meanwhile would have been overtaken by what goes through it.
  for (let i = 0; i < 5; i++) await said(await scene.callAround(), 'hello');
  assert.deepEqual([scene.heard(), scene.calls()], ['one', 1]);
  scene.proxy.setLinks(() => ({}));
  await answers;
  assert.equal(scene.calls(), 2);
});

test('a long line takes its time in both directions, and only between sites', async () => {
  const DELAY_MS = 40;
  for (const [from, isFar] of [
    ['north', true],
    ['south', false],
    [undefined, false],
  ] as const) {
    await using scene = await openScene(() => from);
    const asked: string[] = [];
    scene.proxy.setLinks((one, other) => {
      asked.push(`${one} ${other}`);
      return { delayMs: DELAY_MS };
    });
    const socket = await scene.call();
    const began = performance.now();
    await said(socket, 'there and back');
    assert.deepEqual(new Set(asked), isFar ? new Set(['north south']) : new Set());
    // Timers may come somewhat early, never by half.
    if (isFar) assert.ok(performance.now() - began >= DELAY_MS);
  }
});

test('who hangs up or breaks off is seen to do so, over a dead line when it is whole again', async () => {
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    await using scene = await openScene(() => 'north');
    const socket = await scene.call();
    await said(socket, 'one');
    scene.proxy.setLinks(() => ({ isCut: true }));
    const ended = once(scene.last(), 'close', { signal: AbortSignal.timeout(10_000) });
    socket[leave]();
    await said(await scene.callAround(), 'hello');
    assert.equal(scene.last().closed, false, leave);
    scene.proxy.setLinks(() => ({}));
    await ended;
  }
});

const missing = process.platform === 'linux' ? undefined : 'only Linux tells whose a connection is';
const WHOSE = 'the process that holds one end of a connection is found by its ports';

if (missing === undefined) test(WHOSE, findsProcess);
else test(WHOSE, { skip: missing }, () => undefined);

async function findsProcess(): Promise<void> {
  await using scene = await openScene((own, called) => {
    const pid = processOfConnection(own, called, [1, process.pid]);
    return pid === process.pid ? 'south' : 'north';
  });
  scene.proxy.setLinks(() => ({ isCut: true }));
  await said(await scene.call(), 'from within');
  assert.equal(processOfConnection(1, 2, [process.pid]), undefined);
}

type Scene = AsyncDisposable & {
  readonly proxy: LinkProxy;
  call(): Promise<Socket>;
  /** To the site, but not through the proxy. */
  callAround(): Promise<Socket>;
  /** Of the calls through the proxy: how many came, the last of them, and all that the site was told. */
  calls(): number;
  last(): Socket;
  heard(): string;
};

/** A site in the south that says everything back. */
async function openScene(siteOf: (ownPort: number, calledPort: number) => string | undefined): Promise<Scene> {
  const [accepted, around]: [Socket[], Socket[]] = [[], []];
  let [isAround, heard] = [false, ''];
  const server = createServer((socket) => {
    if (isAround) around.push(socket);
    else accepted.push(socket.on('data', (words: Buffer) => (heard += words.toString())));
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const [port, outside] = [await listening(server), await freePort()];
  const proxy = await startLinkProxy([{ site: 'south', host: '127.0.0.1', port, outside }], siteOf);
  const callers: Socket[] = [];
  const callTo = async (called: number): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: called });
    socket.on('error', () => undefined);
    callers.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return {
    proxy,
    calls: () => accepted.length,
    last: () => accepted.at(-1) ?? assert.fail('nobody called'),
    heard: () => heard,
    call: () => callTo(outside),
    async callAround() {
      const accepts = once(server, 'connection');
      isAround = true;
      const socket = await callTo(port);
      await accepts;
      isAround = false;
      return socket;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of [...callers, ...accepted, ...around]) socket.destroy();
      await proxy[Symbol.asyncDispose]();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function said(socket: Socket, words: string): Promise<void> {
  socket.write(words);
  await hears(socket, words);
}

async function hears(socket: Socket, words: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  for (let heard = ''; heard !== words;) heard += String((await once(socket, 'data', { signal }))[0]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
