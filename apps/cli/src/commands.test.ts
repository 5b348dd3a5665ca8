import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Endpoint, ENDPOINTS, ERRORS } from '@linkspan/protocol';
import fc from 'fast-check';
import { parseArguments, unknownCommand } from './arguments.ts';
import { COMMANDS, GROUPS } from './commands.ts';
import { commandHelp, examplesOf, EXIT_CODES, exitCodeHelp, generalHelp } from './help.ts';
import { nearest } from './nearest.ts';

test('every endpoint for operators has a command that asks it, and so have health, readiness, measurements and the network', () => {
  const sources = ['.', 'commands', 'watch', 'doctor'].flatMap((folder) =>
    readdirSync(join(import.meta.dirname, folder))
      .filter((file) => file.endsWith('.ts') && !/test/.test(file))
      .map((file) => readFileSync(join(import.meta.dirname, folder, file), 'utf8')),
  );
  const used = new Set(
    sources.flatMap((text) =>
      [
        ...text.matchAll(
          /ENDPOINTS(?:\.(\w+)|\['([\w-]+)'\])\.path|path(?:: \w+)?,.*ENDPOINTS\.(\w+)|= ENDPOINTS\.(\w+)/g,
        ),
      ].flatMap(([, ...names]) => names.flatMap((name) => name ?? [])),
    ),
  );
  // Asked below the path of the settlement, which is found by whatever its id is.
  if (sources.some((text) => text.includes('`/history?'))) used.add('history');
  if (sources.some((text) => text.includes("'/certificates'"))) used.add('certificates');
  const forPeople = Object.entries<Endpoint>(ENDPOINTS).flatMap(([name, endpoint]) =>
    endpoint.for === 'operators' ? [name] : [],
  );
  assert.ok(forPeople.length >= 14);
  assert.deepEqual(
    [...forPeople, 'health', 'readiness', 'metrics', 'network', 'openapi'].filter((name) => !used.has(name)),
    [],
  );
});

test('every example in the help of a command is one that this program understands', () => {
  for (const command of COMMANDS) {
    const examples = examplesOf(command);
    assert.ok(examples.length > 0, `${command.name} has an example`);
    for (const example of examples) {
      const [program, name, ...args] = wordsOf(example);
      assert.deepEqual([program, name], ['linkspan', command.name], example);
      const parsed = parseArguments(command, args);
      assert.ok(parsed.ok, `${example}: ${parsed.ok ? '' : parsed.failure.detail}`);
    }
  }
});

test('the help of a command names each of its options, and stands in one group of the general help', () => {
  const general = generalHelp().join('\n');
  for (const command of COMMANDS) {
    const help = commandHelp(command).join('\n');
    for (const option of Object.keys(command.options))
      assert.match(help, new RegExp(`--${option}\\b|--from, --to`), `${command.name} --${option}`);
    assert.equal(general.split(`\n  ${command.name} `).length, 2, command.name);
    assert.ok(command.summary.length <= 80, command.summary);
  }
  const names = GROUPS.flatMap(({ commands }) => commands.map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
});

test('the exit codes in the help are those of the error table, each with all that ends so', () => {
  const text = exitCodeHelp().join('\n');
  for (const [name, { title, exit }] of Object.entries(ERRORS)) {
    assert.ok(Object.hasOwn(EXIT_CODES, exit), name);
    const section = text.split(/\n\n/).find((part) => part.startsWith(`  ${exit}  `)) ?? '';
    assert.match(section, new RegExp(`\\n {7}${name} +${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\n|$)`));
  }
});

test('a slip of the hand is answered with what was meant, anything else with all commands', () => {
  const slips = { setlements: 'settlements', statsu: 'status', hist: 'history', docter: 'doctor', hlep: 'help' };
  for (const [written, meant] of Object.entries(slips))
    assert.match(unknownCommand(written, COMMANDS).failure.detail, new RegExp(`^Did you mean "${meant}"\\?`), written);
  assert.match(unknownCommand('frobnicate', COMMANDS).failure.detail, /^There are instruct, watch, /);
  const [status] = COMMANDS.filter(({ name }) => name === 'status');
  assert.ok(status);
  const refused = parseArguments(status, ['A', '--organistion', 'x']);
  assert.match(refused.ok ? '' : refused.failure.detail, /^Did you mean --organisation\? Usage: linkspan status ID\./);
});

test('a name with one letter changed, left out or added is found again; whatever is written, the answer is a name or none', () => {
  const names = COMMANDS.map(({ name }) => name).filter((name) => name.length > 5);
  const at = fc.integer({ min: 0, max: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...names), at, fc.constantFrom('', 'q', 'qx'), (name, place, put) => {
      assert.equal(nearest(name.slice(0, place) + put + name.slice(place + 1), names), name);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (written) => {
      const found = nearest(written, names);
      assert.ok(found === undefined || names.includes(found));
    }),
  );
});

/** The words of a line as a shell reads it: quotes, no variables; what is sent to a file or through a pipe is not the program's. */
function wordsOf(line: string): string[] {
  const [command = ''] = line.split(/ (?:>>?|\|) /);
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
