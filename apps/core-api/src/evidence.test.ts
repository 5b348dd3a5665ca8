import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Evidence, verifyEvidence } from '@linkspan/audit';
import { createVerify } from '@linkspan/keys';
import {
  type CallBody,
  ENDPOINTS,
  type Hash,
  hashSchema,
  parse,
  type SignedStatement,
  signOne,
  type Statement,
} from '@linkspan/protocol';
import { operationName } from '@linkspan/scenario';
import { lodgeBody, sampleInstruction } from '@linkspan/testkit';
import { collectEvidence } from './evidence.ts';
import {
  get,
  lodgeBoth,
  openTestLedger,
  performAll,
  problemOf,
  startTestNetwork,
  until,
  valid,
} from './test-support.ts';

const verify = createVerify({ memoize: 1000 });

test('the evidence of a settlement that ran over HTTP verifies offline, at every organisation, while it runs and when it has ended', async () => {
  await using network = await startTestNetwork();
  const url = network.urls['csd-b'] ?? '';
  const begun = await lodgeBoth(network, network.instruction('EVIDENCE-1'));
  const running = await get(url, '/settlements/EVIDENCE-1/evidence');
  assert.equal(running.status, 200, JSON.stringify(running.body));
  assert.equal(verifyEvidence(running.body, { verify, network: network.sample.id }).verdict, 'incomplete');
  await performAll(network, begun.id);
  await performAll(network, begun.id);
  for (const base of Object.values(network.urls)) {
    const verdict = await until(
      async () =>
        verifyEvidence((await get(base, `/settlements/${begun.id}/evidence`)).body, {
          verify,
          network: network.sample.id,
        }),
      (found) => found.verdict === 'complete',
    );
    assert.ok(verdict.verdict === 'complete');
    assert.equal(verdict.settlements[0]?.phase, 'settled');
    assert.ok(verdict.pinned);
  }
});

/** The sample network's ledger without any API, and what one settlement on it is asked and answered. */
async function onLedger(work: (scene: LedgerScene) => Promise<void>): Promise<void> {
  await using ledger = await openTestLedger();
  const { sample } = ledger;
  const now = Date.now();
  let nonce = 0;
  const accepted = async (organisation: string, body: CallBody): Promise<Hash> => {
    nonce += 1;
    const [result] = await ledger.submit([sample.call(organisation, body, String(nonce))]);
    assert.ok(result);
    return hashSchema.parse(valid(result)['proposal']);
  };
  await work({
    ledger,
    accepted,
    lodge: (organisation, tradeId) => accepted(organisation, lodgeBody(sampleInstruction(tradeId, now))),
    async statement(proposal, name) {
      const { state } = valid(await ledger.evaluate('settlement', { id: proposal }));
      const operation = state.operations.find((each) => operationName(each) === name);
      assert.ok(operation && state.settlement);
      const { network, settlement } = state;
      const { id, system, terms } = operation;
      return {
        schema: 'statement/1',
        network,
        settlement,
        operation: id,
        system,
        status: 'effective',
        terms,
        reason: '',
        transaction: 'tx',
      };
    },
    signed: (statement, validators) => ({
      statement,
      signatures: validators
        .flatMap((index) => sample.validators[statement.system]?.[index] ?? [])
        .map((signer) => signOne(signer, statement)),
    }),
    async evidence(id) {
      const { genesis } = sample.plan;
      return valid(await collectEvidence({ ledger, archive: ledger.archive, genesis }, id));
    },
  });
}

type LedgerScene = {
  readonly ledger: Awaited<ReturnType<typeof openTestLedger>>;
  readonly accepted: (organisation: string, body: CallBody) => Promise<Hash>;
  readonly lodge: (organisation: string, tradeId: string) => Promise<Hash>;
  readonly statement: (proposal: Hash, name: string) => Promise<Statement>;
  readonly signed: (statement: Statement, validators: readonly number[]) => SignedStatement;
  readonly evidence: (id: string) => Promise<Evidence>;
};

/** Without what it carries as context the replay comes out differently. */
function assertNeedsContext(evidence: Evidence, context: readonly Hash[]): void {
  const { network, settlements } = evidence;
  assert.deepEqual(
    settlements.flatMap(({ role, proposal }) => (role === 'context' ? [proposal] : [])),
    context,
  );
  const found = verifyEvidence(evidence, { verify, network });
  assert.equal(found.verdict, 'incomplete', JSON.stringify(found));
  const alone = settlements.filter(({ role }) => role === 'asked');
  assert.equal(verifyEvidence({ ...evidence, settlements: alone }, { verify, network }).verdict, 'refused');
}

test('a trade that was lodged again carries its earlier rounds, which its id counts', () =>
  onLedger(async ({ accepted, lodge, evidence }) => {
    const rounds: Hash[] = [];
    for (let round = 0; round < 2; round++) {
      const proposal = await lodge('csd-b', 'AGAIN');
      rounds.push(await accepted('csd-b', { type: 'retract', proposal }));
    }
    const last = await lodge('csd-b', 'AGAIN');
    const collected = await evidence(last);
    assert.equal(collected.settlements.at(-1)?.proposal, last);
    assertNeedsContext(collected, rounds);
  }));

test('a settlement carries the one in which a validator key of its systems was suspended, and no report that came later', () =>
  onLedger(async ({ accepted, lodge, statement, signed, evidence }) => {
    const begin = async (tradeId: string): Promise<Hash> => {
      await lodge('central-bank-a', tradeId);
      return lodge('csd-b', tradeId);
    };
    const other = await begin('OTHER');
    const said = await statement(other, 'earmark/fcy');
    const contradiction = [signed(said, [0]), signed({ ...said, transaction: 'another' }, [0])];
    const early = await begin('EARLY');
    await accepted('csd-b', { type: 'report', proposal: other, statements: contradiction });
    const late = await begin('LATE');
    // All three signed, one of them suspended: the contract passes this one over and takes the other.
    const statements = [
      signed(await statement(late, 'earmark/fcy'), [0, 1, 2]),
      signed(await statement(late, 'earmark/lcy'), [0]),
    ];
    await accepted('csd-b', { type: 'record', proposal: late, statements });
    assertNeedsContext(await evidence(late), [other]);
    assert.deepEqual(
      (await evidence(early)).settlements.map(({ proposal }) => proposal),
      [early],
    );
  }));

test('a period lists what changed in it, in pages, and refuses what is no period', async () => {
  await using network = await startTestNetwork();
  const url = network.urls['csd-b'] ?? '';
  const ids = [];
  for (const tradeId of ['EVIDENCE-A', 'EVIDENCE-B'])
    ids.push((await lodgeBoth(network, network.instruction(tradeId))).proposal);
  const list = async (query: string) =>
    valid(parse(ENDPOINTS['evidence-period'].answer, (await get(url, `/evidence?${query}`)).body, 'internal'));
  const all = 'from=2000-01-01T00:00:00Z&to=9999-01-01T00:00:00Z';
  assert.deepEqual(await list(all), { proposals: ids, next: null });
  const page = await list(`${all}&limit=1`);
  assert.deepEqual(page.proposals, ids.slice(0, 1));
  assert.deepEqual((await list(`${all}&limit=1&after=${page.next}`)).proposals, ids.slice(1));
  assert.deepEqual(await list('from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z'), { proposals: [], next: null });
  for (const wrong of [
    'from=now&to=then',
    'from=2000-01-01T00:00:00Z',
    `${all}&after=x`,
    'from=2001-01-01T00:00:00Z&to=2000-01-01T00:00:00Z',
  ]) {
    const answer = await get(url, `/evidence?${wrong}`);
    assert.equal(answer.status, 422, wrong);
    assert.equal(problemOf(answer).code, 'request-invalid');
  }
  assert.equal((await get(url, '/settlements/NOTHING/evidence')).status, 404);
});
