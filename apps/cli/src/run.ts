import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createApiClient } from './api-client.ts';
import type { Command, NamedApi, Options } from './command.ts';
import { audit } from './commands/audit.ts';
import { balances } from './commands/balances.ts';
import { cancel } from './commands/cancel.ts';
import { history } from './commands/history.ts';
import { instruct } from './commands/instruct.ts';
import { resolve as resolveOperation } from './commands/resolve.ts';
import { retract } from './commands/retract.ts';
import { scenario } from './commands/scenario.ts';
import { settlements } from './commands/settlements.ts';
import { status } from './commands/status.ts';
import { systems } from './commands/systems.ts';
import { fail, type Failure, type Outcome } from './failure.ts';
import { commandHelp, generalHelp } from './help.ts';
import { findProfile, type ReadFile } from './profile.ts';
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
};

const COMMANDS: readonly Command[] = [
  instruct,
  status,
  history,
  settlements,
  balances,
  retract,
  cancel,
  resolveOperation,
  systems,
  scenario,
  audit,
];

/** Runs one command and gives its exit code, from the error table where something was refused. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return showHelp(terminal, rest[0]);
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) return showFailure(terminal, unknownCommand(name).failure, false);
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
  });
  if (!outcome.ok) return showFailure(terminal, outcome.failure, json);
  const { document, lines, failures = [] } = outcome.value;
  for (const line of json ? [JSON.stringify(document, null, 2)] : lines) terminal.out(line);
  for (const failure of failures) showFailure(terminal, failure, json);
  return failures[0]?.exit ?? 0;
}

const SHARED_OPTIONS = {
  api: { type: 'string' },
  organisation: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parseArguments(
  command: Command,
  args: readonly string[],
): Outcome<{ readonly options: Options; readonly positionals: readonly string[] }> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...command.options, ...SHARED_OPTIONS },
      allowPositionals: true,
    });
    const options: Options = { ...values };
    const [least, most] = command.arguments;
    if (options['help'] !== true && (positionals.length < least || positionals.length > most))
      return wrongUsage(command, 'The arguments are not as they should be.');
    return { ok: true, value: { options, positionals } };
  } catch (error) {
    return wrongUsage(command, error instanceof Error ? (error.message.split('. ')[0] ?? '') : '');
  }
}

function wrongUsage({ name, usage }: Command, why: string): ReturnType<typeof fail> {
  return fail(
    'request-invalid',
    `Usage: linkspan ${[name, usage].filter(Boolean).join(' ')}. More: linkspan help ${name}`,
    why.replace(/\.$/, ''),
  );
}

function unknownCommand(name: string): ReturnType<typeof fail> {
  return fail(
    'request-invalid',
    `There are ${COMMANDS.map((each) => each.name).join(', ')} and help.`,
    `There is no command "${name.slice(0, 40)}"`,
  );
}

/** Whom to ask: the API that was named, the organisation that was named, or the profile's default; and for what concerns all, all of them. */
function chooseApis(
  options: Options,
  { env, folder, readFile }: Surroundings,
): Outcome<{ readonly api: NamedApi['api']; readonly all: readonly NamedApi[] }> {
  const { api: url, organisation } = options;
  if (typeof url === 'string') {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      return fail('request-invalid', `"${url}" is no address of an API, such as http://127.0.0.1:9100.`);
    const api = createApiClient(url);
    return { ok: true, value: { api, all: [{ organisation: url, name: url, api }] } };
  }
  const found = findProfile(env, folder, readFile);
  if (!found.ok) return found;
  const profile = found.value;
  if (!profile)
    return fail(
      'ledger-unavailable',
      'Start the local network with `npm start`, or name an API with --api URL.',
      'There is no profile of a network',
    );
  const all = Object.entries(profile.organisations).map(([id, { name, api }]) => ({
    organisation: id,
    name,
    api: createApiClient(api),
  }));
  const speaker = all.find((each) => each.organisation === (organisation ?? profile.default));
  if (!speaker)
    return fail(
      'not-found',
      `The profile has ${all.map((each) => each.organisation).join(', ')}.`,
      `The profile has no organisation ${String(organisation ?? profile.default)}`,
    );
  return { ok: true, value: { api: speaker.api, all: organisation === undefined ? all : [speaker] } };
}

/** Whoever is asked gives the reason why there is nobody to ask. */
function withoutApi(failed: { readonly ok: false; readonly failure: Failure }): {
  readonly api: NamedApi['api'];
  readonly all: readonly NamedApi[];
} {
  return { api: { url: '', get: async () => failed, post: async () => failed }, all: [] };
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
  if (name !== undefined && !command && !name.startsWith('-'))
    return showFailure(terminal, unknownCommand(name).failure, false);
  for (const line of command ? commandHelp(command) : generalHelp(COMMANDS)) terminal.out(line);
  return 0;
}

function showFailure(terminal: Terminal, failure: Failure, json: boolean): number {
  if (json) terminal.error(JSON.stringify(failure.document));
  else {
    terminal.error(paint(terminal, 'red', `${plain(failure.title)}.`));
    if (failure.detail !== '') terminal.error(plain(failure.detail));
    const width = Math.max(0, ...failure.problems.map(({ pointer }) => pointer.length));
    for (const { pointer, message } of failure.problems)
      terminal.error(`  ${plain(pointer.padEnd(width))}  ${plain(message)}`);
  }
  return failure.exit;
}
