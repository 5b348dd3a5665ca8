import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { CannotRun, sentenceOf } from './cannot-run.ts';
import { freeBytes, refuseLittleSpace, spaceUsedUp } from './free-space.ts';
import { readOptions } from './options.ts';
import { refuseUsedPorts } from './used-ports.ts';

test('a port that another program has is named; free ones are accepted and free afterwards', async () => {
  const server = createServer();
  const used = await listen(server, 0);
  const other = createServer();
  const free = await listen(other, 0);
  other.close();
  await once(other, 'close');
  await assert.rejects(refuseUsedPorts({ a: used, b: free }), {
    message: `Port ${used} is used by another program: end it, or choose others with --port-base.`,
  });
  await refuseUsedPorts({ b: free });
  await listen(other, free);
  other.close();
  server.close();
});

test('of many used ports the first three are named and the others counted', async () => {
  const servers = Array.from({ length: 5 }, () => createServer());
  const ports = await Promise.all(servers.map((server) => listen(server, 0)));
  await assert.rejects(refuseUsedPorts(Object.fromEntries(ports.entries())), {
    message: new RegExp(`^Ports ${ports.slice(0, 3).join(', ')} and 2 more are used by another program`),
  });
  for (const server of servers) server.close();
});

test('options: defaults below the root, and a sentence for what makes no sense', () => {
  const defaults = {
    host: 'embedded',
    once: false,
    json: false,
    demoFailure: false,
    tls: false,
    fresh: false,
    help: false,
    portBase: 7400,
    data: '/srv/var',
    samples: '/srv/deploy/samples',
  };
  assert.deepEqual(readOptions([], '/srv'), defaults);
  assert.deepEqual(readOptions(['--data', 'x', '--samples', '/y', '--port-base', '9000'], '/srv'), {
    ...defaults,
    data: '/srv/x',
    samples: '/y',
    portBase: 9000,
  });
  const onFabric = { ...defaults, host: 'fabric', data: '/srv/var/on-fabric' };
  assert.deepEqual(readOptions(['--host', 'fabric'], '/srv'), onFabric);
  for (const args of [
    ['--host', 'cloud'],
    ['--host', 'fabric', '--tls'],
    ['--host', 'fabric', '--demo-failure'],
  ])
    assert.throws(() => readOptions(args, '/srv'), CannotRun);
  for (const base of ['0', '80', '65001', '99999', 'x', '1e4', '-1'])
    assert.throws(() => readOptions([`--port-base=${base}`], '/srv'), CannotRun);
  assert.throws(() => readOptions(['--json'], '/srv'), CannotRun);
  assert.equal(
    sentence(() => readOptions(['--foo'], '/srv')),
    "Unknown option '--foo'. Options: npm start -- --help",
  );
  assert.equal(
    sentence(() => readOptions(['foo'], '/srv')),
    "Unexpected argument 'foo'. Options: npm start -- --help",
  );
});

test('too little space is refused before the start, and noticed when it is used up', async () => {
  assert.throws(() => refuseLittleSpace('/d', 1024 ** 2), {
    message: '/d has only 1 MB of free space, and the local network needs 32.',
  });
  refuseLittleSpace('/d', 1024 ** 3);
  assert.ok(freeBytes('/') > 0);
  const space = spaceUsedUp('/d', () => 0);
  await assert.rejects(space.failed, {
    message: 'No space is left in /d: make room and start again, the data is whole.',
  });
  space.stop();
});

test('failures of the disk are said in words, with the path; what nobody foresaw shows where it was', () => {
  const system = (code: string, members: object = {}): Error =>
    Object.assign(new Error(`${code}: something, write`), { code, ...members });
  assert.equal(sentenceOf(system('ENOSPC'), '/d'), '/d cannot be written: no space is left on the device.');
  assert.equal(
    sentenceOf(system('EROFS', { path: '/d/x' }), '/d'),
    '/d/x cannot be written: the file system is read-only.',
  );
  assert.equal(sentenceOf(new CannotRun('So it is.'), '/d'), 'So it is.');
  const fault = Object.assign(new Error('The key file cannot be written.', { cause: system('ENOSPC') }), {
    name: 'Fault',
  });
  assert.equal(sentenceOf(fault, '/d'), 'The key file cannot be written: no space is left on the device.');
  assert.match(sentenceOf(new TypeError('x is no function'), '/d'), /refusals\.test\.ts/);
});

function sentence(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return sentenceOf(error, '/d');
  }
  return assert.fail('nothing was thrown');
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
