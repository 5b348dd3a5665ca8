import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { localNetworkFile, networkFileOf, readNetworkFile } from '../../network/network-definition.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { writeJson } from '../../network/write-json.ts';
import { call } from '../../test-support.ts';

const KEPT = readNetworkFile(localNetworkFile(4, 20_000));
/** Whoever gets as far as looking for Fabric's programs has been accepted: there are none here. */
const NO_PROGRAMS = { FABRIC_BIN: '/nowhere' };
const ACCEPTED = /FABRIC_BIN names \/nowhere/;
let folder: string;
let kept: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'linkspan-requested-'));
  kept = join(folder, 'kept');
  writeJson(networkLayout(kept).definitionFile, networkFileOf(KEPT));
  writeJson(join(folder, 'same.json'), localNetworkFile(4, 20_000));
  writeJson(join(folder, 'other.json'), localNetworkFile(4, 21_000));
  const [first, ...others] = localNetworkFile(4, 20_000).organisations;
  writeJson(join(folder, 'apart.json'), {
    channel: 'linkspan',
    organisations: [{ ...first, host: 'a.example' }, ...others],
  });
  writeFileSync(join(folder, 'broken.json'), '{');
});

after(() => rmSync(folder, { recursive: true }));

async function said(...args: readonly string[]): Promise<string> {
  const { exit, error } = await call(folder, ['network', ...args], { env: NO_PROGRAMS });
  assert.notEqual(exit, 0);
  return error;
}

test('what cannot be is refused in a sentence that says what was given and what is possible, and nothing is written', async () => {
  const refused: readonly (readonly [RegExp, ...string[]])[] = [
    [/--countries takes a whole number from 3 to 16, not abc/, '--countries', 'abc'],
    [/--countries takes a whole number from 3 to 16, not 4\.5/, '--countries', '4.5'],
    [/--countries takes a whole number from 3 to 16, not 40/, '--countries', '40'],
    [/from 1024 to 65456, since 4 organisations take 80 ports from there on, not 65500/, '--port-base', '65500'],
    [/There is no file missing\.json; --file names a network file/, '--file', 'missing.json'],
    [/The network file cannot be used: it is no object/, '--file', 'broken.json'],
    [/give --file alone/, '--file', 'same.json', '--countries', '4'],
    [/country-a is on a\.example: .*linkspan network prepare ID --file FILE/, '--file', 'apart.json'],
    [/missing-definition\.json is missing or no JSON/, '--definition', 'missing-definition.json'],
    // Also where nothing is wrong but that Fabric's programs are not there.
    [ACCEPTED, '--countries', '4'],
  ];
  for (const [why, ...options] of refused) {
    assert.match(await said('up', '--data', 'new', ...options), why);
    assert.ok(!existsSync(join(folder, 'new')), options.join(' '));
  }
});

test('a network file that is not there is told of where an organisation is prepared, too', async () => {
  const told = await said('prepare', 'country-a', '--data', 'new', '--file', 'missing.json');
  assert.match(told, /There is no file missing\.json\.\nName a network file/);
  assert.ok(!existsSync(join(folder, 'new')));
});

test('whoever says again what a network was made with is understood; anything else is refused by name', async () => {
  for (const same of [[], ['--countries', '4'], ['--port-base', '20000'], ['--file', 'same.json']])
    assert.match(await said('up', '--data', 'kept', ...same), ACCEPTED);
  const other: readonly (readonly [RegExp, ...string[]])[] = [
    [/holds a network already, with 4 organisations and not 7 \(--countries\)/, '--countries', '7'],
    [/with ports from 20000 and not from 21000 on \(--port-base\)/, '--port-base', '21000'],
    [/another one than in other\.json \(--file\)/, '--file', 'other.json'],
  ];
  for (const [why, ...options] of other) assert.match(await said('up', '--data', 'kept', ...options), why);
});

test('a newcomer that could not be in a network file is refused before anything is written', async () => {
  const file = networkLayout(kept).definitionFile;
  const text = readFileSync(file, 'utf8');
  const refused: readonly (readonly [RegExp, ...string[]])[] = [
    [/organisation 5 needs an id of lower-case letters, digits and hyphens, not "Bad Id"/, 'Bad Id'],
    [/country-d and country-e share ports: .* from 20060 and from 20070 on/, 'country-e', '--port-base', '20070'],
    [/--port-base takes a whole number from 1024 to 65516, .*not 80/, 'country-e', '--port-base', '80'],
    [/--port-base takes .*not none/, 'country-e', '--port-base', 'none'],
    [ACCEPTED, 'country-e'],
  ];
  for (const [why, ...args] of refused) {
    assert.match(await said('add-organisation', '--data', 'kept', ...args), why);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});
