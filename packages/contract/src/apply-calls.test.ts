import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify } from '@linkspan/keys';
import { type Call, type CallBody, type ErrorCode, hashOf, type SignedCall, signCalls } from '@linkspan/protocol';
import { ContractScene, lodgeBody, MemoryWorld, sampleNetwork, SCENE_BEGIN } from '@linkspan/testkit';
import { applyCalls } from './apply-calls.ts';
import { keysOfCall } from './keys-of-call.ts';
import { runQuery } from './queries.ts';
import { NotFetched, type Stored, type World } from './world.ts';

const net = sampleNetwork();

test('calls of a batch read what earlier ones wrote, and a refused one among them leaves nothing', () => {
  const scene = new ContractScene(net);
  const body = lodgeBody(scene.instruction('T-1'));
  const results = scene.submit([
    scene.call('central-bank-a', body),
    scene.call('central-bank-b', body),
    scene.call('csd-b', body),
  ]);
  assert.deepEqual(
    results.map((result) => (result.ok ? result.value['phase'] : result.refusal.code)),
    ['proposed', 'not-entitled', 'preparing'],
  );
  assert.deepEqual(
    scene.world.events.map(({ sequence }) => sequence),
    [1, 2],
  );
});

test('F6 an accepted call is idempotent under its id: the same answer, nothing written, nothing told, whatever happened since', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-1');
  const call = scene.call('central-bank-a', lodgeBody(instruction));
  const [first, again] = scene.submit([call, call]);
  assert.ok(first?.ok);
  assert.deepEqual(again, first);
  const proposal = scene.lodge('csd-b', instruction);
  scene.answerAll(proposal);
  const before = new Map(scene.world.state);
  const told = scene.world.events.length;
  assert.deepEqual(scene.submit([call]), [first]);
  assert.deepEqual(scene.world.state, before);
  assert.equal(scene.world.events.length, told);
});

test('that a call was checked is remembered for the same call under the same check only', () => {
  const call = new ContractScene(net).call('central-bank-a', lodgeBody(new ContractScene(net).instruction('T-1')));
  const strict = new MemoryWorld(() => false, SCENE_BEGIN);
  const codes = (world: MemoryWorld, ...calls: readonly SignedCall[]) =>
    applyCalls(world, calls).map((result) => !result.ok && result.refusal.code);
  let checks = 0;
  const counting = new MemoryWorld(() => ++checks > 0, SCENE_BEGIN);
  assert.deepEqual(codes(counting, call, call), ['not-registered', 'not-registered']);
  assert.equal(checks, 1);
  assert.deepEqual(codes(strict, call), ['signature-invalid']);
  assert.deepEqual(codes(counting, { ...call }), ['not-registered']);
  assert.equal(checks, 2);
  for (const none of [null, 'call', 7])
    assert.deepEqual(codes(counting, JSON.parse(JSON.stringify(none))), ['call-invalid']);
});

test('the keys that a call names are those that it reads first', () => {
  const scene = new ContractScene(net);
  const call = scene.call('central-bank-a', lodgeBody(scene.instruction('T-1')));
  const named = new Set(keysOfCall(call.call));
  const missed: string[] = [];
  const known = new Set(named);
  for (;;) {
    const world: World = {
      tx: scene.world.tx,
      verify: scene.world.verify,
      get(key) {
        if (!known.has(key)) throw new NotFetched(key);
        return scene.world.get(key);
      },
      put: () => undefined,
      delete: () => undefined,
      emit: () => undefined,
    };
    try {
      const [result] = applyCalls(world, [call]);
      assert.ok(result?.ok);
      break;
    } catch (error) {
      if (!(error instanceof NotFetched)) throw error;
      missed.push(error.key.split('/')[0] ?? '');
      known.add(error.key);
    }
  }
  assert.deepEqual(missed, ['slot'], 'all but what follows from the parties');
});

test('a refused call is forgotten and may be accepted later', () => {
  const scene = new ContractScene(net);
  const proposal = scene.begin('T-1');
  const expire = scene.call('csd-b', { type: 'expire', proposal });
  const [early] = scene.submit([expire]);
  assert.equal(early?.ok === false && early.refusal.code, 'deadline-not-passed');
  scene.world.tx.time += 60_000;
  const [late] = scene.submit([expire]);
  assert.equal(late?.ok && late.value['phase'], 'aborting');
});

test('F39 a call counts only under the signature of its organisation, in its own network', () => {
  const scene = new ContractScene(net);
  const good = scene.call('central-bank-a', lodgeBody(scene.instruction('T-1')));
  const other = scene.call('csd-b', lodgeBody(scene.instruction('T-2')));
  const foreign: Call = { ...good.call, network: hashOf('another network') };
  const stranger: Call = { ...good.call, organisation: 'nobody' };
  const signer = net.organisations['central-bank-a']?.call;
  assert.ok(signer);
  const [forForeign] = signCalls(signer, [foreign]);
  const [forStranger] = signCalls(signer, [stranger]);
  assert.ok(forForeign && forStranger);
  const cases: [SignedCall, ErrorCode][] = [
    [{ ...good, signature: { ...good.signature, signature: '00'.repeat(64) } }, 'signature-invalid'],
    [{ ...good, signature: other.signature }, 'signature-invalid'],
    [{ ...good, signature: { ...good.signature, key: other.signature.key } }, 'signature-invalid'],
    [{ ...good, call: { ...good.call, nonce: 'another' } }, 'signature-invalid'],
    [{ ...good, call: { ...good.call, actor: 'another' } }, 'signature-invalid'],
    [{ call: { ...good.call, organisation: 'csd-b' }, signature: good.signature }, 'signature-invalid'],
    [resigned({ ...good.call, organisation: 'csd-b' }, signer), 'key-unknown'],
    [forForeign, 'network-mismatch'],
    [forStranger, 'key-unknown'],
  ];
  for (const [call, code] of cases) assert.equal(refusalOf(scene, call), code);
  assert.ok(scene.submit([good])[0]?.ok);
});

test('one signature covers a batch of calls, each under its own path only', () => {
  const scene = new ContractScene(net);
  const signer = net.organisations['central-bank-a']?.call;
  assert.ok(signer);
  const calls = ['T-1', 'T-2', 'T-3'].map((id) => scene.call('central-bank-a', lodgeBody(scene.instruction(id))).call);
  const [first, second, third] = signCalls(signer, calls);
  assert.ok(first?.signature.path && second?.signature.path && third);
  const { path } = first.signature;
  const forged: SignedCall[] = [
    { ...first, signature: second.signature },
    { call: first.call, signature: { key: first.signature.key, signature: first.signature.signature } },
    { ...first, signature: { ...first.signature, path: { ...path, index: 1 } } },
    { ...first, signature: { ...first.signature, path: { ...path, hashes: path.hashes.slice(1) } } },
    { ...first, signature: { ...first.signature, path: { ...path, hashes: [...path.hashes, '00'.repeat(32)] } } },
    { ...first, signature: { ...first.signature, path: { ...path, hashes: path.hashes.toReversed() } } },
  ];
  for (const call of forged) assert.equal(refusalOf(scene, call), 'signature-invalid');
  assert.ok(scene.submit([first, second, third]).every((result) => result.ok));
});

test('what has not the form of a call is refused with its problems and holds up none of the others', () => {
  const scene = new ContractScene(net);
  const good = scene.call('central-bank-a', lodgeBody(scene.instruction('T-1')));
  const text = JSON.stringify(good);
  const garbage = ['null', '7', '[]', '{}', text.replace('"call/1"', '"call/2"'), text.replace('"nonce"', '"once"')];
  const results = scene.submit([...garbage.map((each): SignedCall => JSON.parse(each)), good]);
  assert.ok(results.pop()?.ok);
  for (const result of results) {
    assert.ok(!result.ok);
    assert.equal(result.refusal.code, 'call-invalid');
    assert.ok((result.refusal.problems?.length ?? 0) > 0);
  }
});

test('a call whose text has no canonical form is refused, not a fault of the node', () => {
  const scene = new ContractScene(net);
  const good = scene.call('central-bank-a', { type: 'expire', proposal: hashOf('x') });
  assert.equal(refusalOf(scene, { ...good, call: { ...good.call, actor: '\ud800' } }), 'call-invalid');
});

test('a key that is not at hand abandons all calls and writes nothing; with the key they run again', () => {
  const scene = new ContractScene(net);
  const call = scene.call('central-bank-a', lodgeBody(scene.instruction('T-1')));
  const missing = [...scene.world.state.keys()].filter((key) => /^(scenario|account|party)\//.test(key));
  assert.ok(missing.length > 5);
  const world = new PickyWorld(scene.world.state, (key) => {
    if (missing.includes(key)) throw new NotFetched(key);
  });
  const before = new Map(world.state);
  for (;;) {
    try {
      assert.ok(applyCalls(world, [call])[0]?.ok);
      break;
    } catch (error) {
      assert.ok(error instanceof NotFetched);
      assert.deepEqual(world.state, before);
      assert.deepEqual(world.events, []);
      missing.splice(missing.indexOf(error.key), 1);
    }
  }
  scene.submit([call]);
  assert.deepEqual(world.state, scene.world.state);
});

test('a call that breaks an assertion is refused and rolled back; the others of its batch go on', () => {
  const scene = new ContractScene(net);
  const broken = scene.begin('T-1');
  const whole = scene.begin('T-2');
  const stored = scene.world.state.get(`settlement/${broken}`);
  assert.ok(stored && 'state' in stored && typeof stored.state === 'object');
  // A state that no call could have written: its scenario is another than the one it began with.
  scene.world.state.set(`settlement/${broken}`, {
    ...stored,
    state: { ...stored.state, scenario: { reference: 'none@1' } },
  });
  scene.world.tx.time += 60_000;
  const before = new Map(scene.world.state);
  const [first, second] = scene.submit([
    scene.call('csd-b', { type: 'expire', proposal: broken }),
    scene.call('csd-b', { type: 'expire', proposal: whole }),
  ]);
  assert.equal(first?.ok === false && first.refusal.code, 'call-broken');
  assert.ok(second?.ok);
  const changed = [...scene.world.state].filter(([key, value]) => before.get(key) !== value).map(([key]) => key);
  assert.ok(changed.every((key) => !key.includes(broken)));
});

function resigned(call: Call, signer: Parameters<typeof signCalls>[0]): SignedCall {
  const [signed] = signCalls(signer, [call]);
  assert.ok(signed);
  return signed;
}

function refusalOf(scene: ContractScene, call: SignedCall): ErrorCode | undefined {
  const before = new Map(scene.world.state);
  const [result] = scene.submit([call]);
  assert.deepEqual(scene.world.state, before);
  return result?.ok === false ? result.refusal.code : undefined;
}

/** A host that looks at a key before it hands it over. */
class PickyWorld extends MemoryWorld {
  readonly #look: (key: string) => void;

  constructor(state: ReadonlyMap<string, Stored>, look: (key: string) => void) {
    super(createVerify({ memoize: 100 }), SCENE_BEGIN);
    for (const [key, value] of state) this.state.set(key, value);
    this.#look = look;
  }

  override get(key: string): Stored | undefined {
    this.#look(key);
    return super.get(key);
  }
}

test('the HTTP request that a call answers is kept with it, whatever it asks: another body under its key is refused', () => {
  const scene = new ContractScene(net);
  const answering = (organisation: string, body: CallBody, asked: string): SignedCall => {
    const signer = net.organisations[organisation]?.call;
    assert.ok(signer);
    const request = { client: 'back-office', key: 'K', body: hashOf(asked) };
    const { call } = scene.call(organisation, body);
    const [signed] = signCalls(signer, [{ ...call, nonce: `request ${asked}`, request }]);
    assert.ok(signed);
    return signed;
  };
  const kept = (organisation: string) =>
    runQuery(scene.world, 'request', { organisation, client: 'back-office', key: 'K' });
  const early = answering('csd-b', { type: 'retract', proposal: hashOf('none') }, 'nothing');
  assert.deepEqual(refusalsOf(scene.submit([early])), ['not-registered']);
  assert.deepEqual(kept('csd-b'), { ok: true, value: null }, 'a refused call leaves its key free');
  const proposal = scene.begin('T-1');
  const cancel = answering('csd-b', { type: 'cancel', proposal }, 'cancel T-1');
  const [first] = scene.submit([cancel]);
  assert.ok(first?.ok);
  assert.deepEqual(scene.submit([cancel]), [first]);
  assert.deepEqual(kept('csd-b'), { ok: true, value: { body: hashOf('cancel T-1') } });
  const { instrument } = registered('register-instrument');
  const other = { type: 'register-instrument', instrument } as const;
  assert.deepEqual(refusalsOf(scene.submit([answering('csd-b', other, 'register')])), ['idempotency-key-reused']);
  // Keys belong to the organisation whose client used them.
  assert.deepEqual(refusalsOf(scene.submit([answering('central-bank-a', { type: 'cancel', proposal }, 'cancel')])), [
    '',
  ]);
});

function registered<T extends CallBody['type']>(type: T): Extract<CallBody, { type: T }> {
  const isOfType = (body: CallBody): body is Extract<CallBody, { type: T }> => body.type === type;
  const found = net.plan.calls.map(({ body }) => body).find(isOfType);
  assert.ok(found);
  return found;
}

function refusalsOf(results: ReturnType<typeof applyCalls>): string[] {
  return results.map((result) => (result.ok ? '' : result.refusal.code));
}
