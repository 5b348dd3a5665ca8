import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify } from '@linkspan/keys';
import {
  type Call,
  type CallBody,
  type ErrorCode,
  type Genesis,
  hashOf,
  leiCheckDigits,
  networkId,
  quorumFor,
  signCalls,
} from '@linkspan/protocol';
import { ContractScene, MemoryWorld, type SampleNetwork, sampleNetwork, SCENE_BEGIN } from '@linkspan/testkit';
import { applyCalls } from './apply-calls.ts';
import { runQuery } from './queries.ts';

const net = sampleNetwork();

test('the genesis makes the network; any of its organisations may bring it, again and again', () => {
  const world = new MemoryWorld(createVerify({ memoize: 100 }), SCENE_BEGIN);
  const genesis = net.plan.genesis;
  for (const { id } of genesis.organisations) {
    assert.deepEqual(applyCalls(world, [net.call(id, { type: 'genesis', genesis })]), [
      { ok: true, value: { network: net.id } },
    ]);
  }
  const found = runQuery(world, 'network', {});
  assert.ok(found.ok);
  const { organisations, quorum } = genesis;
  const members = organisations.map(({ id, certificateKey }) => ({ organisation: id, certificateKey }));
  const unchanged = { announced: null, revoked: [], removed: [], changes: 0 };
  const current = { epoch: 1, quorum, members };
  assert.deepEqual(found.value, { id: net.id, epoch: 1, genesis, current, organisations, ...unchanged });
});

test('before the genesis nothing else is accepted', () => {
  const world = new MemoryWorld(createVerify({ memoize: 100 }), SCENE_BEGIN);
  const [result] = applyCalls(world, [net.call('csd-b', { type: 'expire', proposal: hashOf('x') })]);
  assert.equal(result?.ok === false && result.refusal.code, 'not-registered');
});

test('a genesis that cannot stand is refused with its code', () => {
  const { genesis } = net.plan;
  const [a, b, c] = genesis.organisations;
  assert.ok(a && b && c);
  const cases: [string, Genesis, ErrorCode][] = [
    [
      'a quorum that is too small for four',
      { ...genesis, organisations: [a, b, c, { ...c, id: 'd', callKey: key('d'), certificateKey: address('d') }] },
      'quorum-invalid',
    ],
    ['a quorum that is too large', { ...genesis, quorum: 3 }, 'quorum-invalid'],
    ['a shared id', { ...genesis, organisations: [a, b, { ...c, id: b.id }] }, 'record-invalid'],
    ['a shared call key', { ...genesis, organisations: [a, b, { ...c, callKey: b.callKey }] }, 'record-invalid'],
    [
      'a shared certificate key',
      { ...genesis, organisations: [a, b, { ...c, certificateKey: b.certificateKey }] },
      'record-invalid',
    ],
  ];
  for (const [what, document, code] of cases)
    assert.equal(refusalOfGenesis(document, a.id, networkId(document)), code, what);
  assert.equal(refusalOfGenesis(genesis, a.id, hashOf('other')), 'network-mismatch');
});

test('a genesis is brought by an organisation of it, under that organisation’s own key', () => {
  const { genesis } = net.plan;
  const [a, b] = genesis.organisations;
  assert.ok(a && b);
  assert.equal(refusalOfGenesis({ ...genesis, organisations: genesis.organisations.slice(1) }, a.id), 'not-entitled');
  assert.equal(refusalOfGenesis(genesis, b.id, net.id, a.id), 'key-unknown');
});

test('a network has one genesis', () => {
  const scene = new ContractScene(net);
  const other = { ...net.plan.genesis, nonce: 'another' };
  assert.equal(scene.refused('csd-b', { type: 'genesis', genesis: other }).code, 'already-registered');
});

test('the quorum is 2 of 2, 2 of 3, and more than two thirds from four on', () => {
  assert.deepEqual([2, 3, 4, 5, 6, 7, 9, 10, 31, 32].map(quorumFor), [2, 2, 3, 4, 5, 5, 7, 7, 21, 22]);
});

test('what is registered again with the same content is accepted, with other content refused', () => {
  const scene = new ContractScene(net);
  for (const { organisation, body } of net.plan.calls) {
    scene.accepted(organisation, body);
    const other = renamed(body);
    if (other) assert.equal(scene.refused(organisation, other).code, 'already-registered', body.type);
  }
});

test('registrations that cannot stand are refused with their code', () => {
  const scene = new ContractScene(net);
  const bodies = bodiesOf(net);
  const { system, party, account, instrument } = bodies;
  const { keys } = system.validators;
  const fresh = { ...system, id: 'fresh' };
  const lei = `999900FRESHBANK00B${leiCheckDigits('999900FRESHBANK00B')}`;
  const cases: [string, CallBody, ErrorCode, string?][] = [
    ['csd-b', { type: 'register-system', system: fresh }, 'not-entitled'],
    [
      system.owner,
      { type: 'register-system', system: { ...fresh, validators: { keys, threshold: 1 } } },
      'record-invalid',
    ],
    [
      system.owner,
      { type: 'register-system', system: { ...fresh, validators: { keys, threshold: 4 } } },
      'record-invalid',
    ],
    [
      system.owner,
      {
        type: 'register-system',
        system: { ...fresh, validators: { keys: keys.flatMap((each) => [each, each]), threshold: 4 } },
      },
      'record-invalid',
    ],
    [system.owner, { type: 'register-system', system: { ...fresh, windows: [{ from: 5, to: 5 }] } }, 'record-invalid'],
    ['central-bank-b', { type: 'register-party', party }, 'not-entitled'],
    [
      party.organisation,
      { type: 'register-party', party: { ...party, lei: party.lei.replace(/.$/, '0') } },
      'record-invalid',
      '/party/lei',
    ],
    [
      party.organisation,
      { type: 'register-party', party: { ...party, lei, bic: 'KITAXXJ0XXX' } },
      'record-invalid',
      '/party/bic',
    ],
    ['central-bank-b', { type: 'register-account', account }, 'not-entitled'],
    ['csd-b', { type: 'register-account', account: { ...account, id: 'nowhere:1' } }, 'not-registered'],
    [
      'csd-b',
      { type: 'register-account', account: { ...account, id: 'csd:new', party: '9'.repeat(20) } },
      'not-registered',
    ],
    ['central-bank-b', { type: 'register-instrument', instrument }, 'not-entitled'],
    [
      'csd-b',
      { type: 'register-instrument', instrument: { ...instrument, isin: 'XS0000000018' } },
      'record-invalid',
      '/instrument/isin',
    ],
    ['csd-b', { type: 'register-instrument', instrument: { ...instrument, system: 'nowhere' } }, 'not-registered'],
    [
      'central-bank-b',
      { type: 'register-instrument', instrument: { ...instrument, system: 'rtgs' } },
      'record-invalid',
    ],
  ];
  for (const [organisation, body, code, pointer] of cases) {
    const refusal = scene.refused(organisation, body);
    assert.equal(refusal.code, code, JSON.stringify(body));
    if (pointer !== undefined) assert.equal(refusal.problems?.[0]?.pointer, pointer, refusal.message);
  }
});

function refusalOfGenesis(
  genesis: Genesis,
  organisation: string,
  network = networkId(genesis),
  signedBy = organisation,
): ErrorCode | undefined {
  const world = new MemoryWorld(createVerify({ memoize: 100 }), SCENE_BEGIN);
  const call: Call = {
    schema: 'call/1',
    network,
    organisation,
    actor: 'test',
    nonce: 'once',
    body: { type: 'genesis', genesis },
  };
  const signer = net.organisations[signedBy]?.call;
  assert.ok(signer);
  const [result] = applyCalls(world, signCalls(signer, [call]));
  assert.equal(world.state.size, result?.ok ? world.state.size : 0);
  return result?.ok === false ? result.refusal.code : undefined;
}

function bodiesOf({ plan }: SampleNetwork) {
  const bodies = plan.calls.map(({ body }) => body);
  const system = bodies.find((body) => body.type === 'register-system')?.system;
  const party = bodies.find((body) => body.type === 'register-party')?.party;
  const account = bodies.find((body) => body.type === 'register-account')?.account;
  const instrument = bodies.find((body) => body.type === 'register-instrument')?.instrument;
  assert.ok(system && party && account && instrument);
  return { system, party, account, instrument };
}

function renamed(body: CallBody): CallBody | undefined {
  switch (body.type) {
    case 'register-system':
      return { ...body, system: { ...body.system, name: 'Another' } };
    case 'register-party':
      return { ...body, party: { ...body.party, name: 'Another' } };
    case 'register-account':
      return { ...body, account: { ...body.account, assets: ['EUR'] } };
    case 'register-instrument':
      return { ...body, instrument: { ...body.instrument, name: 'Another' } };
    default:
      return undefined;
  }
}

function key(name: string): `ed25519:${string}` {
  return `ed25519:${hashOf(name).slice('sha256:'.length)}`;
}

function address(name: string): `secp256k1:${string}` {
  return `secp256k1:${hashOf(name).slice('sha256:'.length, 'sha256:'.length + 40)}`;
}
