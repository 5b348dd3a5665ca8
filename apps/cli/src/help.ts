import type { Command } from './command.ts';

/** What `linkspan help` says. */
export function generalHelp(commands: readonly Command[]): string[] {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'linkspan - settles one trade across several ledgers: every leg delivered, or none',
    '',
    'Usage: linkspan COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    `  ${'help'.padEnd(width)}  this text, or all about one command: linkspan help status`,
    '',
    ...GLOBAL_HELP,
    '',
    'A first walk, while a local network runs (npm start):',
    '  linkspan settlements            what has been lodged',
    '  linkspan status TRADE-ID        where one of them stands',
    '  linkspan history TRADE-ID       how it came there',
    '  linkspan balances               what everybody has',
  ];
}

/** What `linkspan COMMAND --help` says. */
export function commandHelp({ name, usage, summary, help }: Command): string[] {
  return [
    `linkspan ${name} - ${summary}`,
    '',
    `Usage: linkspan ${[name, usage, '[OPTIONS]'].filter(Boolean).join(' ')}`,
    '',
    ...help,
    '',
    ...GLOBAL_HELP,
  ];
}

const GLOBAL_HELP: readonly string[] = [
  'Options of every command:',
  '  --organisation ID  speak for this organisation of the profile',
  '  --api URL          ask this API, without a profile',
  '  --json             one JSON document instead of text; errors as JSON too, on standard error',
  '  --help             what a command does, with examples',
  '',
  'The profile tells where the APIs are: LINKSPAN_PROFILE, or the nearest var/profile.json in this folder or above it.',
  'Exit codes: 0 done, 1 fault, 2 wrong usage, 3 refused, 4 not found, 5 not allowed, 6 try again, 7 conflict.',
];
