import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { PORTS_OF_ORGANISATION, readNetworkFile } from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { isRunning, type NotedProcess, notedProcesses } from '../../apps/cli/src/network/node-process.ts';
import { endAfterThis } from '../../tools/local-network/end-after-this.ts';
import { freePorts, whyNoFabric } from '../integration/fabric-network.ts';

const linkspan = resolve(import.meta.dirname, '../../apps/cli/bin/linkspan.js');
const missing = await whyNoFabric();
const LONGEST_WAIT_MS = 90_000;
const WHAT =
  'one command brings up four organisations; trades settle, before and after certificates are renewed; a fifth joins, stands in for one that is away and leaves; evidence is complete; what is killed is told, comes back and goes on; nothing stays';

test(WHAT, missing === undefined ? {} : { skip: missing }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-network-up-'));
  const data = join(folder, 'net');
  const profile = join(data, 'profile.json');
  const shell = shellIn(folder, profile);
  const end = endAfterThis(data);
  try {
    await shell('network', 'up', '--data', data, '--port-base', String(await freePorts(4 * PORTS_OF_ORGANISATION)));
    const processes = allProcesses(data);
    assert.equal(processes.length, 4 * 3 + 3 + 5 + 4, 'nodes, systems, validators, CoreAPIs');
    refuseForeignFiles(data, 4);
    const first = await settle(shell, folder);
    for (const side of ['central-bank-a', 'csd-b']) await verifyEvidence(shell, folder, data, first, side);

    await shell('network', 'renew', 'country-b', '--data', data);
    const second = await settle(shell, folder);
    await verifyEvidence(shell, folder, data, second, 'central-bank-b');

    await shell('network', 'add-organisation', 'country-e', '--data', data);
    assert.equal(allProcesses(data).length, 24 + 3 + 1, 'nodes and the CoreAPI of the newcomer');
    refuseForeignFiles(data, 5);
    assert.equal(await phaseOf(shell, first, 'country-e'), 'settled');
    await kill(data, 'country-d', 'core-api');
    // Four of five must sign a decision now, and four are there with the newcomer.
    const third = await settle(shell, folder, ['country-e']);
    await verifyEvidence(shell, folder, data, third, 'country-e');

    await kill(data, 'country-c', 'csd');
    const told = await shell.fails('network', 'status', '--data', data, '--json');
    const { organisations } = statusSchema.parse(JSON.parse(told.stdout));
    assert.deepEqual(
      organisations.map((each) => [each.organisation, each.missing]),
      [
        ['country-a', []],
        ['country-b', []],
        ['country-c', ['csd']],
        ['country-d', ['core-api']],
        ['country-e', []],
      ],
    );
    assert.equal(organisations.filter(({ isLeader }) => isLeader).length, 1);
    const waiting = await lodge(shell, folder);
    await kill(data, 'country-c', 'validator-csd');
    await kill(data, 'country-a', 'validator-fcy-evm-1');
    await shell('network', 'up', '--data', data);
    await shell('network', 'status', '--data', data);
    await settled(shell, waiting);

    const leave = ['network', 'remove-organisation', 'country-e', '--data', data];
    assert.match((await shell.fails(...leave)).stderr, /remove-organisation country-e --from-ledger/);
    const leaving = allProcesses(data, 'country-e');
    assert.match((await shell(...leave, '--from-ledger')).stderr, /Epoch 3 has begun, with 4 members/);
    assert.deepEqual(leaving.filter(isRunning), []);
    assert.doesNotMatch(readFileSync(profile, 'utf8'), /country-e/);
    await settle(shell, folder, ['csd-b']);

    const before = allProcesses(data);
    assert.match((await shell('network', 'down', '--data', data)).stdout, /24 processes ended/);
    assert.deepEqual(before.filter(isRunning), []);
  } finally {
    await end();
    rmSync(folder, { recursive: true, force: true });
  }
});

const statusSchema = z.looseObject({
  organisations: z.array(
    z.looseObject({ organisation: z.string(), missing: z.array(z.string()), isLeader: z.boolean() }),
  ),
});
const phaseSchema = z.looseObject({ phase: z.string() });
const blocksSchema = z.looseObject({
  blocks: z.looseObject({
    pinned: z.boolean(),
    transactions: z.int().min(3),
    ordered: z.looseObject({ fewest: z.int().min(3) }),
    endorsed: z.looseObject({ fewest: z.int().min(3) }),
  }),
});
const instructionSchema = z.looseObject({ tradeId: z.string() });

const SIDES = ['central-bank-a', 'central-bank-b', 'csd-b'];

async function settle(shell: Shell, folder: string, watchers = SIDES): Promise<string> {
  const tradeId = await lodge(shell, folder);
  await settled(shell, tradeId, watchers);
  return tradeId;
}

/** Both sides lodge an example, as somebody at a terminal does; gives its id. */
async function lodge(shell: Shell, folder: string): Promise<string> {
  const file = join(folder, 'trade.json');
  await shell('instruct', '--example', '--out', file);
  for (const side of ['central-bank-a', 'csd-b']) await shell('instruct', file, '--organisation', side);
  return instructionSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).tradeId;
}

async function settled(shell: Shell, tradeId: string, watchers = SIDES): Promise<void> {
  for (const side of watchers)
    await until(`${tradeId} has settled for ${side}`, async () => (await phaseOf(shell, tradeId, side)) === 'settled');
}

async function phaseOf(shell: Shell, tradeId: string, organisation: string): Promise<string> {
  const { stdout } = await shell('status', tradeId, '--json', '--organisation', organisation);
  return phaseSchema.parse(JSON.parse(stdout)).phase;
}

/** Fails where the exit code of the verification says that anything does not hold. */
async function verifyEvidence(shell: Shell, folder: string, data: string, trade: string, side: string): Promise<void> {
  const file = join(folder, `${trade}-${side}.json`);
  await shell('audit', 'export', trade, '--out', file, '--organisation', side);
  const { shared, genesisBlock } = networkLayout(data);
  const pinned = ['--trust', join(shared, 'genesis.json'), '--first-block', genesisBlock];
  const { stdout } = await shell('audit', 'verify', file, ...pinned, '--json');
  assert.equal(blocksSchema.parse(JSON.parse(stdout)).blocks.pinned, true);
}

/** No file of an organisation names another one's folder, and nobody else can read its secrets. */
function refuseForeignFiles(data: string, count: number): void {
  const organisations = readdirSync(join(data, 'organisations'));
  assert.equal(organisations.length, count);
  for (const organisation of organisations) {
    const folder = join(data, 'organisations', organisation);
    assert.equal(statSync(folder).mode & 0o077, 0, folder);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, file);
      if (/\.key$|secret|keys\.json$|config\.json$/.test(file) && statSync(path).isFile())
        assert.equal(statSync(path).mode & 0o077, 0, path);
      if (!/\.(?:json|yaml)$/.test(file)) continue;
      const text = readFileSync(path, 'utf8');
      for (const other of organisations)
        if (other !== organisation) assert.ok(!text.includes(`organisations/${other}/`), `${path} names ${other}`);
    }
  }
}

function allProcesses(data: string, organisation?: string): NotedProcess[] {
  const layout = networkLayout(data);
  const network = readNetworkFile(JSON.parse(readFileSync(layout.definitionFile, 'utf8')));
  return network.organisations
    .filter(({ id }) => organisation === undefined || id === organisation)
    .flatMap((each) => notedProcesses(layout.organisation(each)));
}

async function kill(data: string, organisation: string, name: string): Promise<void> {
  const noted = allProcesses(data, organisation).find((each) => each.name === name);
  assert.ok(noted);
  process.kill(noted.pid, 'SIGKILL');
  await until(`${name} of ${organisation} is gone`, async () => !isRunning(noted));
}

type Said = { readonly stdout: string; readonly stderr: string; readonly code: number };
type Shell = ((...args: readonly string[]) => Promise<Said>) & { fails(...args: readonly string[]): Promise<Said> };

function shellIn(folder: string, profile: string): Shell {
  const run = (args: readonly string[]): Promise<Said> =>
    new Promise((done) => {
      const env = { ...process.env, LINKSPAN_PROFILE: profile };
      execFile(process.execPath, [linkspan, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
        done({ stdout, stderr, code: typeof error?.code === 'number' ? error.code : error ? -1 : 0 });
      });
    });
  const shell = async (...args: readonly string[]): Promise<Said> => {
    const said = await run(args);
    assert.equal(said.code, 0, `${args.join(' ')}: ${said.stdout}${said.stderr}`);
    return said;
  };
  return Object.assign(shell, {
    async fails(...args: readonly string[]): Promise<Said> {
      const said = await run(args);
      assert.notEqual(said.code, 0, `${args.join(' ')}: ${said.stdout}`);
      return said;
    },
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - begun < LONGEST_WAIT_MS, `${what} within ${LONGEST_WAIT_MS} ms`);
    await delay(100);
  }
}
