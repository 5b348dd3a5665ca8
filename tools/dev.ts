import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type NetworkDefinition,
  networkDefinitionSchema,
  parse,
  type ScenarioDocument,
  scenarioDocumentSchema,
} from '@linkspan/protocol';
import { runDemo } from './demo-failure/run-demo.ts';
import { stageDemo } from './demo-failure/stage-demo.ts';
import { apiOf } from './local-network/api.ts';
import { CannotRun, sentenceOf, unusable } from './local-network/cannot-run.ts';
import { Changes } from './local-network/changes.ts';
import { lost, readTotals } from './local-network/conservation.ts';
import { type DataDirectory, openDataDirectory } from './local-network/data-directory.ts';
import { domesticAccess } from './local-network/domestic.ts';
import { freeBytes, isUsedUp, noSpace, refuseLittleSpace, spaceUsedUp } from './local-network/free-space.ts';
import { embeddedHost } from './local-network/embedded-host.ts';
import { fabricHost } from './local-network/fabric-host.ts';
import type { Host } from './local-network/host.ts';
import { urlOf } from './local-network/layout.ts';
import { type Options, readOptions, USAGE } from './local-network/options.ts';
import { readPositions } from './local-network/positions.ts';
import { sourcesOf } from './local-network/processes.ts';
import { readJson } from './local-network/read-json.ts';
import { runSample, type SampleOutcome, type Stage } from './local-network/run-sample.ts';
import { readSampleFrom, type Sample, sampleNames } from './local-network/samples.ts';
import { labelOf, Screen } from './local-network/screen.ts';
import { onStarterGone } from './local-network/starter-gone.ts';
import { Supervisor } from './local-network/supervisor.ts';
import { refuseUsedPorts } from './local-network/used-ports.ts';

const root = resolve(import.meta.dirname, '..');
/** What somebody who ends a program by Ctrl-C before it is done gets from it. */
const INTERRUPTED = 130;
/** How long the end of a process may take to be noticed after a request to it failed. */
const NOTICED_WITHIN_MS = 1000;

let directory = root;
process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${sentenceOf(error, directory)}\n`);
  return 1;
});
// Streams of a process that was taken down may linger; everything that matters has been closed by now.
process.exit();

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), root);
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  directory = options.data;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  onStarterGone(() => stop.abort());
  // Whoever read the output is gone, and with it the reason to go on.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stop.abort());

  const host = hostOf(options, readDefinition());
  const { definition, layout } = host;
  const names = sampleNames(options.samples);
  const readAgain = names.map((name) => (run: string) => readSampleFrom(options.samples, name, run, Date.now()));
  const samples = readAgain.map((read) => read('check'));
  const screen = screenOf(definition, samples);
  using data = await openDataDirectory(options.data, (line) => screen.text(line), stop.signal);
  const setting = {
    options,
    host,
    screen,
    data,
  };
  samples.forEach((sample, i) => refuseUnknownProcesses(join(options.samples, names[i] ?? ''), sample, setting));
  refuseLittleSpace(data.path, freeBytes(data.path));
  await refuseUsedPorts(layout.ports);
  return await runNetwork(setting, readAgain, stop.signal);
}

type Setting = {
  readonly options: Options;
  readonly host: Host;
  readonly screen: Screen;
  readonly data: DataDirectory;
};

/** Starts everything, settles the samples and stays; whatever happens, everything has ended when it returns. Gives the exit code. */
async function runNetwork(setting: Setting, samples: readonly ReadSample[], stop: AbortSignal): Promise<number> {
  const { options, host, screen, data } = setting;
  if (options.fresh) data.forget(host.written);
  const continues = host.isKept() && !options.fresh;
  screen.title(host.definition.name);
  await using opened = await host.open((line) => screen.text(line));
  const { network, processes } = opened;
  screen.text(
    `network ${network.slice(0, 19)}… (${continues ? 'continues' : 'new'}), data in ${shown(options.data)}, times in UTC`,
  );
  screen.text(host.caution, 'dim');

  const supervisor = new Supervisor(processes, options.data, (pids) => data.note(pids));
  const space = spaceUsedUp(options.data);
  const stopped = new Promise<void>((resolve) =>
    stop.aborted ? resolve() : stop.addEventListener('abort', () => resolve()),
  );
  let up = false;
  const work = async (): Promise<number> => {
    await startAll(supervisor, screen);
    up = true;
    if (options.demoFailure) return await playDemo(setting, supervisor);
    const outcomes = await runSamples(setting, supervisor, samples);
    if (options.once) {
      if (options.json) screen.line(JSON.stringify(outcomes.map(({ result }) => result)));
      return outcomes.every(({ result }) => result.asExpected) ? 0 : 1;
    }
    announce(setting, outcomes);
    supervisor.keepUp((line) => screen.note(line));
    await stopped;
    return 0;
  };
  try {
    const failed = supervisor.failed.catch((error: unknown) => {
      if (continues && !up)
        process.stderr.write('Where the data of earlier starts is the reason, npm start -- --fresh begins anew.\n');
      throw isUsedUp(freeBytes(options.data)) ? noSpace(options.data) : error;
    });
    const done = work().catch((error: unknown) => blame(failed, error));
    return await Promise.race([
      done,
      failed,
      space.failed,
      stopped.then(() => (options.once || options.demoFailure ? INTERRUPTED : 0)),
    ]);
  } finally {
    space.stop();
    const forced = await supervisor.stopAll();
    if (forced.length > 0) process.stderr.write(`${forced.join(', ')} did not end when asked and had to be killed.\n`);
    if (stop.aborted) screen.title('Ended. The next start continues with the data.');
  }
}

type ReadSample = (run: string) => Sample;

async function startAll(supervisor: Supervisor, screen: Screen): Promise<void> {
  const began = performance.now();
  const ready = supervisor.startAll();
  screen.text(`starting ${supervisor.names.length} processes`);
  await ready;
  screen.text(`all are ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** The end of a process explains a request that failed because of it, and is noticed a little later. */
async function blame(failed: Promise<never>, error: unknown): Promise<never> {
  await Promise.race([failed, delay(NOTICED_WITHIN_MS)]);
  throw error;
}

async function runSamples(
  { host, screen }: Setting,
  supervisor: Supervisor,
  samples: readonly ReadSample[],
): Promise<SampleOutcome[]> {
  const { definition, layout, secretOf } = host;
  const all = definition.organisations.map(({ id }) => apiOf(layout, id));
  const [first, , other] = all;
  if (!first || !other) throw new Error('the local network has three organisations');
  const run = `r${Date.now().toString(36)}`;
  const changes = new Changes(first, (change) => {
    if (change.tradeId.startsWith(`${run}-`)) screen.change(change);
  });
  const sources = sourcesOf(definition, layout, secretOf);
  const stage: Stage = {
    first,
    other,
    all,
    changes,
    processes: {
      kill: (name) => Promise.all(partsOf(host, name).map((part) => supervisor.kill(part))),
      start: (name) => Promise.all(partsOf(host, name).map((part) => supervisor.start(part))),
    },
    sources,
    domestic: domesticAccess(definition, layout, secretOf),
    say: (line) => screen.note(line),
    refused: (sample, api, { problems, detail }) => {
      const organisation = definition.organisations.find(({ id }) => urlOf(layout, id) === api.url)?.id ?? '';
      screen.refused(sample, organisation, problems ?? [{ pointer: '', code: '', message: detail ?? '' }]);
    },
  };
  await changes.connected;
  const [opening, totals] = [await readPositions(all), await readTotals(sources)];
  const outcomes: SampleOutcome[] = [];
  for (const [i, read] of samples.entries()) {
    const sample = read(run);
    screen.title(`${i + 1}/${samples.length} ${sample.expected.title}`);
    const outcome = await runSample(stage, sample, run);
    screen.outcome(outcome);
    outcomes.push(outcome);
  }
  screen.title('Balances before and after');
  screen.balances(opening, await readPositions(all));
  if (lost(totals, await readTotals(sources)).length === 0)
    screen.text('The total of every asset in every system is as before.');
  screen.summary(outcomes);
  await changes.stop();
  return outcomes;
}

/** Gives the exit code: 0 only where the money came back, went through, and every balance is as it must be. */
async function playDemo({ host, screen, options }: Setting, supervisor: Supervisor): Promise<number> {
  const { definition, layout } = host;
  const stage = stageDemo({ definition, layout, screen, supervisor, samples: options.samples });
  await stage.changes.connected;
  const isGood = await runDemo(stage);
  await stage.changes.stop();
  return isGood ? 0 : 1;
}

function announce({ options, host, screen }: Setting, outcomes: readonly SampleOutcome[]): void {
  const { definition, layout } = host;
  const [organisation] = definition.organisations;
  const trade =
    outcomes.find(({ result }) => result.status === 'settled')?.result.tradeId ?? outcomes[0]?.result.tradeId ?? '';
  const profile =
    options.data === join(root, 'var') ? '' : `LINKSPAN_PROFILE=${quoted(join(options.data, 'profile.json'))} `;
  screen.title('The network is up. Ctrl-C ends it; the next start continues with the data.');
  const width = Math.max(...definition.organisations.map(({ name }) => name.length));
  for (const { id, name } of definition.organisations) screen.line(`  ${name.padEnd(width)}  ${urlOf(layout, id)}`);
  const systems = definition.systems.map(({ id }) => `${urlOf(layout, id)}/docs`);
  screen.text(`What each can be asked is on its page /docs; that of the systems: ${systems.join(', ')}`, 'dim');
  screen.line();
  screen.text('In another terminal, here:');
  screen.line(`  ${profile}npx linkspan history ${trade}`);
  const authority = options.tls ? `--cacert ${quoted(join(options.data, 'tls', 'authority.pem'))} ` : '';
  screen.line(
    `  curl -s ${authority}-H "Authorization: Bearer $(${profile}npx linkspan token)" ${urlOf(layout, organisation?.id ?? '')}/settlements/${trade}`,
  );
}

function screenOf({ organisations }: NetworkDefinition, samples: readonly Sample[]): Screen {
  const { stdout, env } = process;
  return new Screen({
    write: (text) => void stdout.write(text),
    columns: () => (stdout.isTTY ? stdout.columns : Infinity),
    coloured: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    names: new Map(organisations.map(({ id, name }) => [id, name])),
    labelWidth: Math.max(...samples.map(({ instruction }) => labelOf(String(instruction['tradeId'])).length)),
  });
}

function readDefinition(): NetworkDefinition {
  const file = join(root, 'deploy/local/network.json');
  const parsed = networkDefinitionSchema.safeParse(readJson(file));
  if (!parsed.success) throw unusable(file, parsed.error);
  return parsed.data;
}

function scenarioOf(value: unknown): ScenarioDocument {
  const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
  if (!parsed.ok) throw new CannotRun(parsed.refusal.message);
  return parsed.value;
}

function refuseUnknownProcesses(folder: string, { faults }: Sample, { host: { parts } }: Setting): void {
  const unknown = faults.find(({ process: name }) => !parts.has(name));
  if (unknown)
    throw new CannotRun(
      `${join(folder, 'faults.json')} names the process ${unknown.process}; there are ${[...parts.keys()].join(', ')}.`,
    );
}

/** The processes for which a name in a sample stands. */
function partsOf({ parts }: Host, name: string): readonly string[] {
  return parts.get(name) ?? [];
}

function hostOf(options: Options, definition: NetworkDefinition): Host {
  return options.host === 'fabric'
    ? fabricHost(definition, { ...options, root })
    : embeddedHost(definition, { ...options, root }, scenarioOf);
}

/** A path as somebody in this directory would type it. */
function shown(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') ? path : here || '.';
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
