import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

/** What one or more test files came to. `notRun` are tests that skipped themselves, each with its reason. */
interface Tally {
  passed: number;
  failed: number;
  notRun: string[];
}

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['packages', 'apps', 'systems', 'tools', 'test'];
/** Needs what not every machine has, and is asked for by name: `npm run test:hsm`. */
const apart = 'test/hsm/';
const concurrency = 2;
/** A file that is still running then hangs; a whole run takes about 15 minutes. */
const fileTimeoutMs = 10 * 60_000;

const checks: readonly Check[] = [
  { name: 'tidy', command: process.execPath, args: ['tools/tidy.ts'] },
  { name: 'oxfmt', command: process.execPath, args: ['node_modules/oxfmt/bin/oxfmt', '--check'] },
  {
    name: 'oxlint',
    command: process.execPath,
    args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  },
  { name: 'tsc', command: process.execPath, args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  {
    name: 'tsc (pure)',
    command: process.execPath,
    args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.pure.json'],
  },
];

/**
 * `npm test`: the checks, then every test file that any machine can run; `node tools/test.ts PATTERN...`: the test files whose path contains a pattern.
 * The last line is `N passed, N failed`, counted by node's test runner. Exit 1 on any failure, and when no test ran.
 */
async function main(patterns: readonly string[]): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    console.error(
      `The tests need Node 24 and this is Node ${process.versions.node}: run them with npm test after npm ci.`,
    );
    process.exitCode = 1;
    return;
  }
  process.chdir(root);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));

  const failedChecks = patterns.length === 0 ? await runChecks(stop.signal) : [];
  const files = findTests().filter(
    (file) => (patterns.length === 0 && !file.startsWith(apart)) || patterns.some((pattern) => file.includes(pattern)),
  );
  // What needs whole processes lives under test/ and runs last, when everything smaller has had its say.
  const tally = await runFiles(
    files.filter((file) => !file.startsWith('test/')),
    stop.signal,
  );
  add(
    tally,
    await runFiles(
      files.filter((file) => file.startsWith('test/')),
      stop.signal,
    ),
  );
  report(tally, failedChecks, stop.signal.aborted);
}

function report(tally: Tally, failedChecks: readonly string[], stopped: boolean): void {
  console.log('');
  for (const line of tally.notRun) console.log(`NOT RUN ${line}`);
  if (tally.passed + tally.failed === 0) console.log('No test ran.');
  if (stopped) console.log('Stopped before the end.');
  if (failedChecks.length > 0) console.log(`Checks that failed: ${failedChecks.join(', ')}`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  const incomplete =
    stopped || tally.passed + tally.failed === 0 || (tally.notRun.length > 0 && process.env['CI'] === 'true');
  if (tally.failed > 0 || failedChecks.length > 0 || incomplete) process.exitCode = 1;
}

async function runChecks(signal: AbortSignal): Promise<readonly string[]> {
  const failed: string[] = [];
  await inParallel(checks, async (check) => {
    const { ok, output, seconds } = await runCheck(check, signal);
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`);
    if (ok) return;
    failed.push(check.name);
    console.log(output);
  });
  return failed;
}

function runCheck(check: Check, signal: AbortSignal): Promise<{ ok: boolean; output: string; seconds: string }> {
  const started = performance.now();
  return new Promise((resolve) => {
    const options = { cwd: root, signal, maxBuffer: 2 ** 26 };
    execFile(check.command, check.args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trimEnd() || (error?.message ?? '');
      resolve({ ok: error === null, output, seconds: secondsSince(started) });
    });
  });
}

function findTests(): readonly string[] {
  const present = new Set(readdirSync(root));
  return folders
    .filter((folder) => present.has(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.test.ts') && !/(^|\/)(node_modules|var)\//.test(file))
    .toSorted();
}

async function runFiles(files: readonly string[], signal: AbortSignal): Promise<Tally> {
  const sum: Tally = { passed: 0, failed: 0, notRun: [] };
  await inParallel(files, async (file) => add(sum, await runFile(file, signal)));
  return sum;
}

/** One process per file, each with its own deadline: node's own timeout does not end a file whose tests are over and which never exits. */
async function runFile(file: string, signal: AbortSignal): Promise<Tally> {
  const started = performance.now();
  const tally: Tally = { passed: 0, failed: 0, notRun: [] };
  const output: string[] = [];
  const failures: string[] = [];
  const deadline = AbortSignal.timeout(fileTimeoutMs);
  let hasTests = false;

  for await (const event of run({ files: [file], signal: AbortSignal.any([signal, deadline]) })) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') output.push(event.data.message);
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { name, nesting, skip, todo, details } = event.data;
      // The runner stands in for a file without tests with one passing test of the file's name.
      if (details.type !== 'suite' && !(nesting === 0 && name === file)) hasTests = true;
      if (skip !== undefined || todo !== undefined) tally.notRun.push(`${file}: ${name} (${skip ?? todo})`);
      if (event.type === 'test:fail' && todo === undefined)
        failures.push(describeFailure(event.data.line, name, event.data.details.error));
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      tally.passed = event.data.counts.passed;
      tally.failed = event.data.counts.failed + event.data.counts.cancelled;
    }
  }
  // A suite whose own hook fails is counted among no tests, though what it should have closed may still run.
  if (tally.failed === 0 && failures.length > 0) tally.failed = failures.length;
  if (!hasTests && tally.failed === 0) {
    failures.push('  the file holds no test');
    Object.assign(tally, { passed: 0, failed: 1 });
  }
  const word = tally.failed === 0 ? 'ok    ' : 'FAILED';
  console.log(`${word} ${file} (${tally.passed} passed, ${tally.failed} failed, ${secondsSince(started)} s)`);
  if (deadline.aborted) console.log(`  did not end within ${fileTimeoutMs / 60_000} minutes`);
  if (tally.failed > 0) console.log(`${failures.join('\n')}\n${output.join('')}`.trimEnd());
  return tally;
}

function describeFailure(line: number | undefined, name: string, error: Error): string {
  return `  line ${line ?? '?'}: ${name}\n${describeError(error.cause ?? error).replaceAll(/^/gm, '    ')}`;
}

// The stack of an assertion shows the difference already; its further members repeat it at length.
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${describeError(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function add(sum: Tally, part: Tally): void {
  sum.passed += part.passed;
  sum.failed += part.failed;
  sum.notRun.push(...part.notRun);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, availableParallelism()) }, worker));
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}

await main(process.argv.slice(2));
