import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call, startTestApi, type TestApi } from './test-support.ts';

let api: TestApi;

before(async () => {
  api = await startTestApi();
});

after(() => api[Symbol.asyncDispose]());

test('asking to cancel twice says the same twice, and status shows who has asked and who has not', async () => {
  await begin('ACT-CANCEL');
  const first = await call(api.folder, ['cancel', 'ACT-CANCEL', '--key', 'first']);
  const second = await call(api.folder, ['cancel', 'ACT-CANCEL', '--key', 'second']);
  assert.deepEqual([second.exit, second.error, second.out], [0, '', first.out]);
  const pending = await call(api.folder, ['status', 'ACT-CANCEL']);
  assert.match(pending.out, /\ncancel: central-bank-a asked, csd-b has not(\n|$)/);
  await call(api.folder, ['cancel', 'ACT-CANCEL', '--key', 'other', '--organisation', 'csd-b']);
  const third = await call(api.folder, ['cancel', 'ACT-CANCEL', '--key', 'third']);
  assert.match(third.out, /^ACT-CANCEL is (aborting|cancelled) \([0-9a-f]{12}\)\.$/);
  assert.doesNotMatch((await call(api.folder, ['status', 'ACT-CANCEL'])).out, /cancel: /);
});

test("people's words are counted until the last one that is needed, which says what became of the operation", async () => {
  await begin('ACT-RESOLVE');
  await api.state('ACT-RESOLVE', ['earmark/fcy', 'earmark/bond', 'earmark/lcy']);
  await api.state('ACT-RESOLVE', ['deliver/lcy'], 'odd');
  const voices = ['central-bank-a', 'central-bank-b', 'csd-b'].flatMap((side) =>
    ['ada', 'bo'].map((person) => [side, person] as const),
  );
  const says = ([side, person]: readonly [string, string], key: string) =>
    call(
      api.folder,
      ['resolve', 'ACT-RESOLVE', 'deliver/lcy', 'effective', '--why', 'it-was-paid'].concat(
        ['--organisation', side, '--as', person],
        ['--key', `${key} ${side} ${person}`],
      ),
    );
  for (const [index, voice] of voices.slice(0, -1).entries()) {
    const count = `${index + 1} of 6 persons`;
    for (const key of ['once', 'twice']) {
      const { exit, out } = await says(voice, key);
      assert.deepEqual([exit, out.split('; ').at(-1)], [0, `${count} do.`]);
    }
    const { out } = await call(api.folder, ['status', 'ACT-RESOLVE']);
    assert.match(out, new RegExp(`\\nresolve deliver/lcy effective: ${count}(\\n|$)`));
  }
  const last = await says(['csd-b', 'bo'], 'last');
  assert.match(last.out, /^ACT-RESOLVE is committed \([0-9a-f]{12}\)\. deliver\/lcy is effective now\.$/);
  const status = await call(api.folder, ['status', 'ACT-RESOLVE']);
  assert.match(status.out, /\ndeliver\/lcy is effective by people's word: it-was-paid(\n|$)/);
  assert.doesNotMatch(status.out, /resolve deliver|it-was-paid.*it-was-paid/);
  const history = await call(api.folder, ['history', 'ACT-RESOLVE']);
  assert.equal(history.out.split('says that deliver/lcy').length - 1, 6, 'the same word again is no entry');
});

async function begin(tradeId: string): Promise<void> {
  const file = api.write(`${tradeId}.json`, api.instruction(tradeId));
  for (const side of ['central-bank-a', 'csd-b'])
    await call(api.folder, ['instruct', file, '--key', tradeId, '--organisation', side]);
}
