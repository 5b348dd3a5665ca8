import { resolve } from 'node:path';
import { parseArguments, unknownCommand } from './arguments.ts';
import { chooseApis, withoutApi } from './choose-apis.ts';
import type { Options } from './command.ts';
import { COMMANDS } from './commands.ts';
import { complete } from './complete.ts';
import { fail, type Failure, type Outcome, sentenceOf } from './failure.ts';
import { commandHelp, exitCodeHelp, generalHelp } from './help.ts';
import { findProfile, type ReadFile } from './profile.ts';
import { programVersion } from './program-version.ts';
import { paint, plain, type Terminal } from './terminal.ts';

/** What the command line may see of its surroundings. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder in which it was called. */
  readonly folder: string;
  readonly terminal: Terminal;
  readonly readFile: ReadFile;
  readonly readStandardInput: () => string;
  readonly newKey: () => string;
  readonly untilInterrupted: () => AbortSignal;
};

/** Runs one command and gives its exit code, from the error table where something was refused. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return showHelp(terminal, rest[0]);
  if (name === '--version' || name === '-V') {
    terminal.out(`linkspan ${programVersion()}`);
    return 0;
  }
  if (name === '__complete') return printCompletions(rest, surroundings);
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) return showFailure(terminal, unknownCommand(name, COMMANDS).failure, rest.includes('--json'));
  const parsed = parseArguments(command, rest);
  if (!parsed.ok) return showFailure(terminal, parsed.failure, rest.includes('--json'));
  const { options, positionals } = parsed.value;
  if (options['help'] === true) return showHelp(terminal, name);
  const json = options['json'] === true;
  const apis = chooseApis(options, surroundings);
  if (!apis.ok && !command.worksWithoutApi) return showFailure(terminal, apis.failure, json);
  const { api, all } = apis.ok ? apis.value : withoutApi(apis);
  const readInput = (path: string): Outcome<string> => readInputFile(surroundings, path);
  const outcome = await command.run({
    positionals,
    options,
    terminal,
    api,
    apis: all,
    folder: surroundings.folder,
    readInput,
    newKey: surroundings.newKey,
    env: surroundings.env,
    untilInterrupted: surroundings.untilInterrupted,
  });
  if (!outcome.ok) return showFailure(terminal, outcome.failure, json);
  const { document, lines, failures = [] } = outcome.value;
  // What wrote while it ran has nothing left to print.
  const printed = json ? (document === undefined ? [] : [JSON.stringify(document, null, 2)]) : lines;
  for (const line of printed) terminal.out(line);
  for (const failure of failures) showFailure(terminal, failure, json);
  return failures[0]?.exit ?? outcome.value.exit ?? 0;
}

/** Prints what may stand where Tab was pressed. Whatever goes wrong, a shell in the middle of a line is told nothing of it. */
async function printCompletions(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, folder, readFile, terminal } = surroundings;
  try {
    const profile = findProfile(env, folder, readFile);
    const organisations = Object.keys((profile.ok ? profile.value?.organisations : undefined) ?? {});
    const asked = (options: Options) => {
      const apis = chooseApis(options, surroundings);
      return apis.ok ? { api: apis.value.api } : undefined;
    };
    for (const each of await complete(words, { asked, organisations })) terminal.out(plain(each));
  } catch {
    // A completion that fails completes nothing.
  }
  return 0;
}

function readInputFile({ folder, readFile, readStandardInput }: Surroundings, path: string): Outcome<string> {
  try {
    const text = path === '-' ? readStandardInput() : readFile(resolve(folder, path));
    if (text !== undefined) return { ok: true, value: text };
    return fail(
      'request-invalid',
      'Name a file with an instruction as JSON, or - for standard input.',
      `There is no file ${path}`,
    );
  } catch (error) {
    return fail('request-invalid', error instanceof Error ? error.message : '', `${path} cannot be read`);
  }
}

function showHelp(terminal: Terminal, name: string | undefined): number {
  const command = COMMANDS.find((each) => each.name === name);
  const general = name === 'exit-codes' ? exitCodeHelp() : generalHelp();
  if (name !== undefined && name !== 'exit-codes' && !command && !name.startsWith('-'))
    return showFailure(terminal, unknownCommand(name, COMMANDS).failure, false);
  for (const line of command ? commandHelp(command) : general) terminal.out(line);
  return 0;
}

function showFailure(terminal: Terminal, failure: Failure, json: boolean): number {
  if (json) terminal.error(JSON.stringify(failure.document));
  else {
    terminal.error(paint(terminal, 'red', plain(sentenceOf(failure.title))));
    if (failure.detail !== '') terminal.error(plain(failure.detail));
    const width = Math.max(0, ...failure.problems.map(({ pointer }) => pointer.length));
    for (const { pointer, message } of failure.problems)
      terminal.error(`  ${plain(pointer.padEnd(width))}  ${plain(message)}`);
  }
  return failure.exit;
}
