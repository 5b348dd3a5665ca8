import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from './api-client.ts';
import { SHARED_OPTIONS } from './arguments.ts';
import type { Command, Completion, NamedApi } from './command.ts';
import { COMMANDS } from './commands.ts';

/** Whom a completion may ask, chosen by what was written so far; undefined where there is nobody. */
export type Asked = (options: Readonly<Record<string, string>>) => Pick<NamedApi, 'api'> | undefined;

/**
 * What may stand where somebody presses Tab: `words` are those written after the program's name, the last one begun or empty. Nothing where a file
 * is meant, which the shell knows better, and nothing where the network gives no answer in time.
 */
export async function complete(
  words: readonly string[],
  { asked, organisations }: { readonly asked: Asked; readonly organisations: readonly string[] },
): Promise<string[]> {
  const begun = words.at(-1) ?? '';
  const [name, ...rest] = words.slice(0, -1);
  const candidates = async (): Promise<readonly string[]> => {
    if (name === undefined) return [...COMMANDS.map((each) => each.name), 'help'];
    if (name === 'help') return rest.length === 0 ? [...COMMANDS.map((each) => each.name), 'exit-codes'] : [];
    const command = COMMANDS.find((each) => each.name === name);
    if (!command) return [];
    const { completion, options } = placeOf(command, rest, begun);
    if (typeof completion !== 'string') return completion;
    return completion === 'organisation' ? organisations : await lookUp(completion, asked(options), rest);
  };
  return (await candidates()).filter((each) => each.startsWith(begun) && each !== '').toSorted();
}

/** What is meant in the place that was begun, and the options before it. */
function placeOf(
  command: Command,
  before: readonly string[],
  begun: string,
): { readonly completion: Completion; readonly options: Readonly<Record<string, string>> } {
  const known: Readonly<Record<string, { readonly type: string }>> = { ...command.options, ...SHARED_OPTIONS };
  const options: Record<string, string> = {};
  const positionals: string[] = [];
  let open: string | undefined;
  for (const word of before) {
    const option = /^--([a-z-]+)$/.exec(word)?.[1];
    if (open !== undefined) {
      options[open] = word;
      open = undefined;
    } else if (option !== undefined) open = known[option]?.type === 'string' ? option : undefined;
    else positionals.push(word);
  }
  if (open !== undefined) return { completion: completionOf(command, open), options };
  if (begun.startsWith('-')) return { completion: Object.keys(known).map((option) => `--${option}`), options };
  return { completion: command.completes?.positionals?.[positionals.length]?.(positionals) ?? [], options };
}

function completionOf(command: Command, option: string): Completion {
  if (option === 'organisation') return 'organisation';
  return command.completes?.options?.[option] ?? [];
}

/** Longer than an API on the same continent takes, shorter than a person waits before pressing Tab again. */
const PATIENCE_MS = 1_000;
const NEWEST = 100;

async function lookUp(
  completion: Exclude<Completion, readonly string[]>,
  asked: Pick<NamedApi, 'api'> | undefined,
  before: readonly string[],
): Promise<readonly string[]> {
  if (completion === 'command') return COMMANDS.map(({ name }) => name);
  if (!asked || completion === 'file' || completion === 'organisation') return [];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => (timer = setTimeout(() => resolve([]), PATIENCE_MS)));
  return Promise.race([ask(completion, asked, before), late]).finally(() => clearTimeout(timer));
}

async function ask(
  completion: 'settlement' | 'scenario' | 'system' | 'operation',
  { api }: Pick<NamedApi, 'api'>,
  before: readonly string[],
): Promise<readonly string[]> {
  switch (completion) {
    case 'settlement': {
      const page = await api.get(`${ENDPOINTS.settlements.path}?limit=${NEWEST}`, answer(ENDPOINTS.settlements.answer));
      return page.ok ? page.value.settlements.map(({ tradeId }) => tradeId) : [];
    }
    case 'scenario': {
      const found = await api.get(ENDPOINTS.scenarios.path, answer(ENDPOINTS.scenarios.answer));
      return found.ok ? found.value.scenarios.map(({ reference }) => reference) : [];
    }
    case 'system': {
      const found = await api.get(ENDPOINTS.systems.path, answer(ENDPOINTS.systems.answer));
      return found.ok ? found.value.systems.map(({ id }) => id) : [];
    }
    case 'operation': {
      const path = ENDPOINTS.settlement.path.replace(':id', encodeURIComponent(before[0] ?? ''));
      const found = await api.get(path, answer(ENDPOINTS.settlement.answer));
      return found.ok ? [...new Set(found.value.operations.map((each) => each.name))] : [];
    }
  }
}
