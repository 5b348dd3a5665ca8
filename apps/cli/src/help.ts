import { ERRORS } from '@linkspan/protocol';
import type { Command } from './command.ts';
import { GROUPS } from './commands.ts';

/** What `linkspan help` says. */
export function generalHelp(): string[] {
  const width = Math.max(...GROUPS.flatMap(({ commands }) => commands.map(({ name }) => name.length)));
  return [
    'linkspan - settles one trade across several ledgers: every leg delivered, or none',
    '',
    'Usage: linkspan COMMAND [ARGUMENTS] [OPTIONS]',
    ...GROUPS.flatMap(({ title, commands }) => [
      '',
      `${title}:`,
      ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    ]),
    '',
    `  ${'help'.padEnd(width)}  this text; all about one command: linkspan help status; exit codes: linkspan help exit-codes`,
    `  ${'--version'.padEnd(width)}  the version of this program`,
    '',
    ...GLOBAL_HELP,
    '',
    'A first walk, while a local network runs (npm start):',
    '  linkspan settlements            what has been lodged',
    '  linkspan status TRADE-ID        where one of them stands',
    '  linkspan history TRADE-ID       how it came there',
    '  linkspan balances               what everybody has',
    '  linkspan watch --all            everything while it happens',
    '  linkspan doctor                 whether all is well, and what to do where it is not',
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

/** The example lines of a command's help, without their indent. */
export function examplesOf({ help }: Command): string[] {
  return help
    .slice(help.indexOf('Examples:') + 1)
    .filter((line) => line.startsWith('  linkspan '))
    .map((line) => line.trim());
}

/** What `linkspan help exit-codes` says: every code with all that ends so, from the error table. */
export function exitCodeHelp(): string[] {
  return [
    'linkspan ends with one of these codes:',
    ...Object.entries(EXIT_CODES).flatMap(([code, words]) => {
      const errors = Object.entries(ERRORS).filter(([, { exit }]) => String(exit) === code);
      const width = Math.max(0, ...errors.map(([name]) => name.length));
      return [
        '',
        `  ${code}  ${words}`,
        ...errors.map(([name, { title }]) => `       ${name.padEnd(width)}  ${title}`),
      ];
    }),
  ];
}

/** What the exit codes of the error table have in common. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'fault',
  2: 'wrong usage',
  3: 'refused',
  4: 'not found',
  5: 'not allowed',
  6: 'try again',
  7: 'conflict',
  8: 'not proved',
};

const GLOBAL_HELP: readonly string[] = [
  'Options of every command:',
  '  --organisation ID  speak for this organisation of the profile',
  '  --as CLIENT        act as this client of the profile: another person, or a program with other rights',
  '  --profile FILE     the network of this profile',
  '  --api URL          ask this API, without a profile; LINKSPAN_TOKEN is its access token (linkspan token)',
  '  --json             one JSON document instead of text; errors as JSON too, on standard error',
  '  --help             what a command does, with examples',
  '',
  'The profile tells where the APIs are: LINKSPAN_PROFILE, or the nearest var/profile.json in this folder or above it.',
  `Exit codes: ${Object.entries(EXIT_CODES)
    .map(([code, words]) => `${code} ${words}`)
    .join(', ')}.`,
];
