import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readEvidence } from '@linkspan/audit';
import { hashOf } from '@linkspan/protocol';
import { call, startTestApi, type TestApi } from '../test-support.ts';

const vectors = new URL('../../../../test/vectors/audit/', import.meta.url).pathname;
const settled = join(vectors, 'valid/settled.json');
const onFabric = join(vectors, '../../recordings/fabric/settled.json');
const network: string = JSON.parse(readFileSync(settled, 'utf8')).network;

let api: TestApi;
/** A folder from which no profile is found. */
let alone = '';

before(async () => {
  api = await startTestApi();
  alone = mkdtempSync(join(tmpdir(), 'linkspan-audit-'));
  for (const tradeId of ['AUDIT-1', 'AUDIT-2']) {
    const file = api.write('trade.json', api.instruction(tradeId));
    for (const side of ['central-bank-a', 'csd-b']) {
      const lodged = await call(api.folder, ['instruct', file, '--organisation', side, '--key', `${tradeId} ${side}`]);
      assert.equal(lodged.exit, 0, lodged.error);
    }
  }
});

after(async () => {
  rmSync(alone, { recursive: true });
  await api[Symbol.asyncDispose]();
});

test('a file is verified without any server: what was checked, the story, the verdict', async () => {
  const { exit, out, error } = await call(alone, ['audit', 'verify', settled, '--network', network]);
  assert.deepEqual([exit, error], [0, '']);
  assert.match(
    out,
    new RegExp(
      `^network +${network}\nchecked +[0-9]+ calls run again with every signature, 4 entries compared, 1 settlement\nhost +embedded: `,
    ),
  );
  assert.match(out, /\n\nT-1 {2}settled {2}commit signed by 2 of at least 2\n/);
  assert.match(out, /\n {9}rtgs: 1,000,000 JPY executed for Kita Bank\n/);
  assert.match(out, /\n\nThe evidence is complete\.$/);
});

test('without a network that the reader names the answer is about consistency alone', async () => {
  const { exit, out, error } = await call(alone, ['audit', 'verify', settled]);
  assert.deepEqual([exit, error], [8, '']);
  assert.match(out, / as the file says: only its consistency was checked\n/);
  assert.match(out, /\n\nThe file agrees with itself; nothing here shows of which network it is: give --network ID\.$/);
  const any = await call(alone, ['audit', 'verify', settled, '--any-network']);
  assert.equal(any.exit, 0);
  assert.match(any.out, /\n\nThe evidence is complete in itself, of whichever network it is\.$/);
  const open = await call(alone, ['audit', 'verify', join(vectors, 'valid/one-signature.json')]);
  assert.equal(open.exit, 6, 'what is missing is said before');
});

test('a file that was tampered with is refused with the first thing that does not hold, exit code 3', async () => {
  const file = join(vectors, 'invalid/amount-in-entry.json');
  const { exit, out, error } = await call(alone, ['audit', 'verify', file, '--network', network]);
  assert.deepEqual([exit, out], [3, '']);
  assert.equal(
    error,
    'Something in the evidence does not hold.\nEntry 3 says "6711.42"; the calls make it "6711.41". (entry-differs)\n' +
      '  /settlements/0/entries/2/changes/1/terms/amount  is the first thing that does not hold',
  );
  const json = await call(alone, ['audit', 'verify', file, '--network', network, '--json']);
  assert.equal(JSON.parse(json.out).first.code, 'entry-differs');
  const other = await call(alone, ['audit', 'verify', settled, '--network', hashOf('other')]);
  assert.equal(other.exit, 3);
  assert.match(other.error, /network-other/);
});

test('evidence with something missing says what, exit code 6', async () => {
  const file = join(vectors, 'valid/one-signature.json');
  const { exit, out, error } = await call(alone, ['audit', 'verify', file, '--network', network]);
  assert.equal(exit, 6);
  assert.match(out, /The evidence is incomplete\.$/);
  assert.match(error, /\n {2}T-1 {2}The commit certificate was acted on, but has 1 of 2 signatures over its block\.$/);
});

test('evidence from Fabric is proved by its blocks, under the first block that the reader names by hash or by file', async () => {
  const { exit, out, error } = await call(alone, ['audit', 'verify', onFabric, '--any-network']);
  assert.deepEqual([exit, error], [0, '']);
  assert.match(out, /\nblocks {5}5 with 4 transactions of the contract and 1 configurations; /);
  assert.match(
    out,
    /\n {11}If you trust the configuration block sha256:[0-9a-f]{64}, which is the file’s own word: at least 3 of 4 /,
  );
  assert.match(out, /\n {11}Not proved: /);
  const narrow = await call(alone, ['audit', 'verify', onFabric, '--any-network'], { columns: 72 });
  const [beginning = ''] = narrow.out.split('\n\n');
  assert.deepEqual(
    beginning.split('\n').filter((line) => line.length > 72 && !line.includes('sha256:')),
    [],
  );
  assert.equal(beginning.replaceAll(/\s+/g, ' '), out.split('\n\n')[0]?.replaceAll(/\s+/g, ' '));
  const { fabric } = JSON.parse(readFileSync(onFabric, 'utf8'));
  const first = join(alone, 'genesis.block');
  writeFileSync(first, Buffer.from(fabric.blocks[0].content, 'base64'));
  const byFile = await call(alone, ['audit', 'verify', onFabric, '--first-block', first, '--json']);
  const { blocks } = JSON.parse(byFile.out);
  assert.deepEqual([byFile.exit, blocks.pinned, blocks.ordered], [8, true, { fewest: 3, of: 4 }]);
  const byHash = await call(alone, ['audit', 'verify', onFabric, '--first-block', blocks.firstBlock]);
  assert.match(byHash.out, /\n {11}Given the configuration block sha256:[0-9a-f]{64}, which you named: /);
});

test('another channel, a changed block and blocks that are not there are refused, exit code 3', async () => {
  const file = join(alone, 'changed.json');
  const verify = async (changed: object, ...options: readonly string[]) => {
    writeFileSync(file, JSON.stringify(changed));
    const { exit, out } = await call(alone, ['audit', 'verify', file, '--json', ...options]);
    return [exit, JSON.parse(out).first?.code];
  };
  const evidence = JSON.parse(readFileSync(onFabric, 'utf8'));
  const { fabric, ...without } = evidence;
  const { chaincode, blocks } = fabric;
  const other = join(vectors, '../../recordings/fabric/other-genesis.block');
  assert.deepEqual(await verify(evidence, '--first-block', other), [3, 'configuration-other']);
  assert.deepEqual(await verify({ ...evidence, fabric: { chaincode, blocks: blocks.slice(0, -1) } }), [
    3,
    'block-missing',
  ]);
  assert.deepEqual(await verify({ ...evidence, fabric: { chaincode, blocks: [{ number: 0 }] } }), [
    3,
    'file-malformed',
  ]);
  assert.deepEqual(await verify(without, '--first-block', hashOf('any')), [3, 'block-missing']);
  const { exit, out } = await call(alone, ['audit', 'verify', file]);
  assert.equal(exit, 8);
  assert.match(out, /\nblocks {5}none in the file: the order and times of calls are the word of who wrote it\n/);
  assert.equal((await call(alone, ['audit', 'verify', settled, '--first-block', 'no-such-file'])).exit, 2);
});

test('a settlement is exported over HTTP and verified under the genesis that the reader trusts', async () => {
  const exported = await call(api.folder, ['audit', 'export', 'AUDIT-1', '--out', 'evidence.json']);
  assert.deepEqual([exported.exit, exported.error], [0, '']);
  assert.match(exported.out, /^1 settlement of the network sha256:[0-9a-f]{64} in evidence\.json$/);
  const { exit, out, error } = await call(api.folder, ['audit', 'verify', 'evidence.json', '--trust', 'genesis.json']);
  assert.equal(exit, 6);
  assert.match(out, /\nAUDIT-1 {2}preparing\n/);
  assert.match(error, /AUDIT-1 {2}The settlement has not ended; it is preparing and waits for earmark\//);
  const printed = await call(api.folder, ['audit', 'export', 'AUDIT-1']);
  assert.ok(readEvidence(printed.out).ok);
});

test('a period is exported as one file with every settlement that changed in it', async () => {
  const period = ['--from', '2000-01-01T00:00:00Z', '--to', '9999-01-01T00:00:00Z'];
  const exported = await call(api.folder, ['audit', 'export', ...period, '--out', 'period.json']);
  assert.match(exported.out, /^2 settlements of the network /);
  const { exit, out } = await call(api.folder, ['audit', 'verify', 'period.json', '--trust', 'genesis.json']);
  assert.equal(exit, 6);
  assert.match(out, /\nAUDIT-1 {2}preparing\n[^]*\nAUDIT-2 {2}preparing\n/);
  const nothing = await call(api.folder, [
    'audit',
    'export',
    '--from',
    '2000-01-01T00:00:00Z',
    '--to',
    '2001-01-01T00:00:00Z',
  ]);
  assert.equal(nothing.exit, 4);
  const wrong = await call(api.folder, ['audit', 'export', '--from', 'today', '--to', 'tomorrow']);
  assert.equal(wrong.exit, 2);
});

test('what cannot be meant is refused with the right usage', async () => {
  const uses: readonly (readonly [number, readonly string[]])[] = [
    [2, ['audit']],
    [2, ['audit', 'verify']],
    [2, ['audit', 'prove', settled]],
    [2, ['audit', 'verify', 'no-such-file.json']],
    [2, ['audit', 'verify', settled, '--network', 'sha256:1']],
    [2, ['audit', 'verify', settled, '--network', network, '--trust', settled]],
    [2, ['audit', 'verify', settled, '--trust', settled]],
    [2, ['audit', 'verify', settled, '--network', network, '--any-network']],
    [2, ['audit', 'export', 'AUDIT-1', '--from', '2000-01-01T00:00:00Z', '--to', '2001-01-01T00:00:00Z']],
    [2, ['audit', 'export', '--from', '2000-01-01T00:00:00Z']],
    [6, ['audit', 'export', 'AUDIT-1']],
  ];
  for (const [exit, args] of uses) {
    const called = await call(alone, args);
    assert.deepEqual([called.exit, called.out], [exit, ''], `${args.join(' ')}: ${called.error}`);
    assert.notEqual(called.error, '');
  }
});
