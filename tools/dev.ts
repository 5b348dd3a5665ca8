import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, scenarioDocumentSchema } from '@linkspan/protocol';
import { type NetworkDefinition, networkDefinitionSchema } from '@linkspan/testkit';
import { Api } from './local-network/api.ts';
import { Changes } from './local-network/changes.ts';
import type { ChildDefinition } from './local-network/child.ts';
import type { Sources } from './local-network/conservation.ts';
import { domesticAccess } from './local-network/domestic.ts';
import { configFileOf, CORE_API, layOut, type Layout, urlOf } from './local-network/layout.ts';
import { readPositions } from './local-network/positions.ts';
import { runSample, type SampleResult, type Stage } from './local-network/run-sample.ts';
import { readSample, sampleNames } from './local-network/samples.ts';
import { Screen } from './local-network/screen.ts';
import { Supervisor } from './local-network/supervisor.ts';
import { clientSecret, readScenarios, tokenAddress, writeFiles } from './local-network/write-files.ts';

const USAGE = `npm start -- [--once] [--json] [--fresh] [--port-base N] [--data DIR]

Brings up the local network: three organisations on an embedded ledger, an EVM chain, an RTGS and a CSD, each a process of its own.
Settles the samples of deploy/samples while you watch, then stays until Ctrl-C. The next start continues with the data.

  --once          end after the samples; exit 0 only if each ended as its expected.json says
  --json          with --once: print an array of the results as the last line
  --fresh         begin anew: forget all data
  --port-base N   first of about thirty ports on loopback (7400)
  --data DIR      where the data lives (var)`;

const root = resolve(import.meta.dirname, '..');

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
// Streams of a process that was taken down may linger; everything that matters has been closed by now.
process.exit();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      'port-base': { type: 'string', default: '7400' },
      data: { type: 'string', default: join(root, 'var') },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const portBase = Number(values['port-base']);
  if (!Number.isInteger(portBase) || portBase < 1024 || portBase > 65_000) throw new Error('--port-base is a number from 1024 to 65000.');
  const data = resolve(values.data);
  if (values.fresh) rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true, mode: 0o700 });

  const screen = new Screen((text) => process.stdout.write(text), process.stdout.isTTY && !process.env['NO_COLOR']);
  const definition = networkDefinitionSchema.parse(JSON.parse(readFileSync(join(root, 'deploy/local/network.json'), 'utf8')));
  const layout = layOut(definition, root, data, portBase);
  const { network } = writeFiles(definition, readScenarios(definition, root, scenarioOf), layout);
  const supervisor = new Supervisor(processesOf(definition, layout), data);
  const stopped = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.resolve());
  try {
    const work = async (): Promise<number> => {
      screen.title(`${definition.name}`);
      screen.line(`  network ${network.slice(0, 19)}…, data in ${values.data}`);
      await supervisor.startAll();
      const results = await runSamples(definition, layout, supervisor, screen);
      if (values.once) {
        if (values.json) screen.line(JSON.stringify(results.map(({ notAsExpected: _, ...result }) => result)));
        return results.every((result) => result.asExpected) ? 0 : 1;
      }
      announce(screen, definition, layout, results);
      await stopped.promise;
      return 0;
    };
    return await Promise.race([work(), supervisor.failed, stopped.promise.then(() => 0)]);
  } finally {
    await supervisor.stopAll();
  }
}

async function runSamples(definition: NetworkDefinition, layout: Layout, supervisor: Supervisor, screen: Screen): Promise<SampleResult[]> {
  const all = definition.organisations.map(({ id }) => new Api(urlOf(layout, id)));
  const [first, , other] = all;
  if (!first || !other) throw new Error('the local network has three organisations');
  const run = `r${Date.now().toString(36)}`;
  const changes = new Changes(first, (change) => {
    if (change.tradeId.startsWith(`${run}-`)) screen.change(change);
  });
  const domestic = domesticAccess(definition, layout, (system, client) => clientSecret(layout, system, client));
  const stage: Stage = { first, other, all, changes, supervisor, sources: sourcesOf(definition, layout), domestic, say: (line) => screen.note(line) };
  await changes.connected;
  const opening = await readPositions(all);
  const results: SampleResult[] = [];
  for (const name of sampleNames(layout.root)) {
    const sample = readSample(layout.root, name, run, Date.now());
    screen.title(sample.expected.title);
    const result = await runSample(stage, sample, run);
    screen.result(result, '');
    results.push(result);
  }
  screen.title('Balances before and after');
  screen.balances(opening, await readPositions(all));
  screen.summary(results);
  await changes.stop();
  return results;
}

function announce(screen: Screen, definition: NetworkDefinition, layout: Layout, results: readonly SampleResult[]): void {
  const [organisation] = definition.organisations;
  const settled = results.find((result) => result.status === 'settled')?.tradeId ?? 'TRADE-ID';
  screen.title('The network is up. Ctrl-C ends it; the next start continues.');
  for (const { id, name } of definition.organisations) screen.line(`  ${name.padEnd(20)} ${urlOf(layout, id)}`);
  screen.line();
  screen.line(`  npx linkspan history ${settled}`);
  screen.line(`  curl ${urlOf(layout, organisation?.id ?? '')}/settlements/${settled}`);
}

function scenarioOf(value: unknown) {
  const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}

function processesOf(definition: NetworkDefinition, layout: Layout): ChildDefinition[] {
  const child = (name: string, script: string): ChildDefinition => ({ name, script: join(layout.root, script), config: configFileOf(layout, name) });
  return [
    ...definition.systems.map(({ id, kind }) => child(id, kind === 'evm' ? 'systems/fcy-evm/src/main.ts' : 'systems/domestic-web/src/main.ts')),
    ...layout.validators.map(({ name }) => child(name, 'apps/validator/src/main.ts')),
    child(CORE_API, 'apps/core-api/src/main.ts'),
  ];
}

function sourcesOf(definition: NetworkDefinition, layout: Layout): Sources {
  const evm = definition.systems.filter((system) => system.kind === 'evm');
  const web = definition.systems.filter((system) => system.kind !== 'evm');
  return {
    registers: Object.fromEntries(web.map(({ id }) => [id, { url: urlOf(layout, id), client: 'auditor', secret: clientSecret(layout, id, 'auditor') }])),
    chains: Object.fromEntries(evm.map(({ id }) => [id, { rpcUrl: urlOf(layout, id), token: tokenAddress(), holders: Object.keys(definition.balances[id] ?? {}) }])),
  };
}
