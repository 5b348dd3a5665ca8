import { parseArgs } from 'node:util';
import type { Command, Options } from './command.ts';
import { fail, type Outcome } from './failure.ts';
import { nearest } from './nearest.ts';

/** Options that every command has. */
export const SHARED_OPTIONS = {
  api: { type: 'string' },
  organisation: { type: 'string' },
  as: { type: 'string' },
  profile: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What was written after a command's name, by its own table. Refused with the right usage, and with the option that may have been meant. */
export function parseArguments(
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
    const why = error instanceof Error ? (error.message.split('. ')[0] ?? '') : '';
    return wrongUsage(command, why, meantOption(command, why));
  }
}

/** A command that does not exist, with the one that may have been meant. */
export function unknownCommand(name: string, commands: readonly Command[]): ReturnType<typeof fail> {
  const names = commands.map((each) => each.name);
  const meant = nearest(name, [...names, 'help']);
  return fail(
    'request-invalid',
    meant === undefined
      ? `There are ${names.join(', ')} and help.`
      : `Did you mean "${meant}"? All commands: linkspan help`,
    `There is no command "${name.slice(0, 40)}"`,
  );
}

function wrongUsage({ name, usage }: Command, why: string, meant = ''): ReturnType<typeof fail> {
  return fail(
    'request-invalid',
    `${meant}Usage: linkspan ${[name, usage].filter(Boolean).join(' ')}. More: linkspan help ${name}`,
    why.replace(/\.$/, ''),
  );
}

function meantOption(command: Command, why: string): string {
  const written = /Unknown option '--([^']+)'/.exec(why)?.[1];
  const meant = written && nearest(written, Object.keys({ ...command.options, ...SHARED_OPTIONS }));
  return meant === undefined || meant === '' ? '' : `Did you mean --${meant}? `;
}
