import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Operation, SignedCertificate } from '@linkspan/protocol';
import type { Connector } from '../connector.ts';
import { assertDead, assertEffective, type ConformanceSystem, newTrade, position, sent, until } from './system.ts';

/** What ends a hold: a commit certificate delivers, an abort certificate releases, nothing else does anything. */
export async function closings(t: TestContext, of: ConformanceSystem): Promise<void> {
  const connector = await of.connect(of.url);
  t.after(() => connector[Symbol.asyncDispose]());

  await t.test('only a commit certificate of the settlement with a quorum of signatures delivers', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(4n);
    await sent(connector, hold);
    const execute = trade.close(of.complete, hold);
    const other = newTrade(of);
    await refusedCertificate(connector, execute, undefined, 'without a certificate');
    await refusedCertificate(connector, execute, trade.certificate('commit', of.quorum - 1), 'with too few signatures');
    await refusedCertificate(
      connector,
      execute,
      other.certificate('commit', of.quorum, [hold.id]),
      "with another settlement's",
    );
    await refusedCertificate(connector, execute, trade.certificate('abort'), 'under abort');
    await refusedCertificate(connector, execute, forged(trade.certificate('commit')), 'with a changed certificate');
    assert.equal(await connector.lookup(execute), undefined);
    const before = [await position(of, connector, 'payer'), await position(of, connector, 'payee')] as const;
    assertEffective(of, await sent(connector, execute, trade.certificate('commit')), execute);
    const [payer, payee] = [await position(of, connector, 'payer'), await position(of, connector, 'payee')];
    assert.deepEqual(payer, { balance: before[0].balance - 4n, held: before[0].held - 4n });
    assert.deepEqual(payee, { balance: before[1].balance + 4n, held: before[1].held });
  });

  await t.test('an abort certificate releases, once, and then nothing delivers', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(6n);
    const before = await position(of, connector, 'payer');
    await sent(connector, hold);
    const release = trade.close('release', hold);
    await refusedCertificate(connector, release, trade.certificate('commit'), 'under commit');
    assertEffective(of, await sent(connector, release, trade.certificate('abort')), release);
    assertEffective(of, await sent(connector, release, trade.certificate('abort')), release);
    assert.deepEqual(await position(of, connector, 'payer'), before);
    const execute = trade.close(of.complete, hold);
    assert.equal((await connector.submit(execute, trade.certificate('commit'))).status, 'refused');
    assertDead(await connector.fence(execute, 'NARR'), execute, 'NARR');
    assert.deepEqual(await position(of, connector, 'payer'), before);
  });

  await t.test('a hold that the certificate does not name is neither delivered nor released', async () => {
    const trade = newTrade(of);
    const decided = trade.hold(2n);
    await sent(connector, decided);
    const [commit, abort] = [trade.certificate('commit'), trade.certificate('abort')];
    // A hold under a settlement that is decided already, as an executor gone bad could make it.
    const late = trade.hold(3n, 'late');
    await sent(connector, late);
    const before = [await position(of, connector, 'payer'), await position(of, connector, 'payee')];
    await refusedCertificate(connector, trade.close(of.complete, late), commit, 'delivery of a hold that is not named');
    await refusedCertificate(connector, trade.close('release', late), abort, 'release of a hold that is not named');
    await assert.rejects(of.closeAsStranger(of.complete, late.id, commit));
    await assert.rejects(of.closeAsStranger('release', late.id, abort));
    assert.deepEqual([await position(of, connector, 'payer'), await position(of, connector, 'payee')], before);
    const execute = trade.close(of.complete, late);
    assertEffective(of, await sent(connector, execute, trade.certificate('commit')), execute);
  });

  await t.test('a fenced delivery never happens under its id; another attempt may', async () => {
    const trade = newTrade(of);
    const hold = trade.hold();
    await sent(connector, hold);
    const execute = trade.close(of.complete, hold);
    assertDead(await connector.fence(execute, 'TIMO'), execute, 'TIMO');
    assert.equal((await connector.submit(execute, trade.certificate('commit'))).status, 'refused');
    const again = trade.close(of.complete, hold, 2);
    assertEffective(of, await sent(connector, again, trade.certificate('commit')), again);
    assertDead(await connector.fence(execute, 'NARR'), execute, 'TIMO');
  });

  await t.test('whoever brought the certificate: a hold that is delivered is delivered', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(2n);
    await sent(connector, hold);
    const execute = trade.close(of.complete, hold);
    await of.closeAsStranger(of.complete, hold.id, trade.certificate('commit'));
    const seen = await until('delivery by a stranger', () => connector.lookup(execute));
    assertEffective(of, seen, execute);
    assert.deepEqual(await connector.submit(execute, trade.certificate('commit')), { status: 'sent' });
    assert.deepEqual(await connector.fence(execute, 'TIMO'), seen);
    // An executor that does not look has the id killed all the same; what happened before that stays what it was.
    await of.fenceBlindly(execute.id, 'TIMO');
    assert.deepEqual(await connector.lookup(execute), seen);
    assert.deepEqual(await connector.fence(execute, 'TIMO'), seen);
  });

  await t.test('whoever brought the certificate: a hold that is released is released', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(2n);
    await sent(connector, hold);
    await of.closeAsStranger('release', hold.id, trade.certificate('abort'));
    const release = trade.close('release', hold);
    assertEffective(of, await until('release by a stranger', () => connector.lookup(release)), release);
    const execute = trade.close(of.complete, hold);
    assert.equal(await connector.lookup(execute), undefined);
  });

  await t.test('a delivery that was called dead stays dead when a stranger delivers later', async () => {
    const trade = newTrade(of);
    const hold = trade.hold();
    await sent(connector, hold);
    const execute = trade.close(of.complete, hold);
    const dead = await connector.fence(execute, 'TIMO');
    assertDead(dead, execute, 'TIMO');
    await of.closeAsStranger(of.complete, hold.id, trade.certificate('commit'));
    const again = trade.close(of.complete, hold, 2);
    assertEffective(of, await until('delivery by a stranger', () => connector.lookup(again)), again);
    assert.deepEqual(await connector.lookup(execute), dead);
  });
}

async function refusedCertificate(
  connector: Connector,
  operation: Operation,
  certificate: SignedCertificate | undefined,
  how: string,
): Promise<void> {
  const submission = await connector.submit(operation, certificate);
  assert.equal(submission.status, 'refused', how);
  assert.equal(submission.status === 'refused' && submission.about, 'certificate', how);
}

/** The signatures of one certificate under another. */
function forged(signed: SignedCertificate): SignedCertificate {
  return { ...signed, certificate: { ...signed.certificate, count: signed.certificate.count + 1 } };
}
