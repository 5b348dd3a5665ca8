import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from './virtual-time.ts';

test('timers run in the order of their moments, and of their making within one; time stands still in between', async () => {
  const time = new VirtualTime(0);
  const seen: string[] = [];
  {
    using opened = new DisposableStack();
    opened.use(time.install());
    setTimeout(() => seen.push(`late ${time.now()}`), 20);
    setTimeout(() => seen.push(`one ${time.now()}`), 10);
    setTimeout(() => seen.push(`two ${time.now()}`), 10);
    const cancelled = setTimeout(() => seen.push('never'), 10);
    clearTimeout(cancelled);
    setImmediate(() => setImmediate(() => seen.push(`now ${time.now()} ${performance.now()}`)));
    await time.idle();
    assert.deepEqual(seen, ['now 0 0']);
    await time.pass(15);
    assert.equal(performance.now(), 15);
    await time.pass(15);
  }
  assert.deepEqual(seen, ['now 0 0', 'one 10', 'two 10', 'late 20']);
});

test('a sleeper wakes when its time has come, or at once by its signal', async () => {
  const time = new VirtualTime(0);
  const stop = new AbortController();
  const woken: string[] = [];
  const sleepers = [
    time.sleep(50, stop.signal).then(() => woken.push(`stopped ${time.now()}`)),
    time.sleep(5, new AbortController().signal).then(() => woken.push(`slept ${time.now()}`)),
  ];
  await time.pass(10);
  stop.abort();
  await Promise.all(sleepers);
  assert.deepEqual(woken, ['slept 5', 'stopped 10']);
});

test('until goes as far as it must, and says what did not come about', async () => {
  const time = new VirtualTime(0);
  const quiet = new AbortController().signal;
  let done = false;
  const work = time.sleep(100, quiet).then(() => {
    done = true;
  });
  await time.until('the work', () => done, 1_000);
  await work;
  assert.equal(time.now(), 100);
  await assert.rejects(
    time.until('the moon', () => false, 1_000),
    /the moon did not come about within 1000 ms/,
  );
});

test('the process has its own timers back afterwards', async () => {
  const before = [
    setTimeout,
    clearTimeout,
    setImmediate,
    clearImmediate,
    Object.getOwnPropertyDescriptor(performance, 'now'),
  ];
  new VirtualTime().install()[Symbol.dispose]();
  assert.deepEqual(
    [setTimeout, clearTimeout, setImmediate, clearImmediate, Object.getOwnPropertyDescriptor(performance, 'now')],
    before,
  );
});
