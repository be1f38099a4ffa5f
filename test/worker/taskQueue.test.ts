import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTaskQueue } from '../../src/worker/calibrate/taskQueue';

/** Tasks that end when they are told to. */
function tasks() {
  const ends: (() => void)[] = [];
  const run = () => new Promise<void>((resolve) => ends.push(resolve));
  return { ends, run };
}

/** Whether a promise has settled once everything that could settle it has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('a queue of tasks', () => {
  it('lets the next in when one has ended, or what they hold has become less', async () => {
    const { ends, run } = tasks();
    const queue = createTaskQueue(3, 100);
    assert.ok(await isSettled(queue.add(60, run)));
    const second = queue.add(60, run);
    assert.equal(await isSettled(second), false, '120 bytes are more than 100');
    ends[0]!();
    assert.ok(await isSettled(second));
    const third = queue.add(0, run);
    const fourth = queue.add(0, run);
    assert.ok(await isSettled(third));
    assert.equal(await isSettled(fourth), false, 'three are under way');
    for (const end of ends) end();
    await fourth;
    await queue.settle();
  });

  it('lets a single one hold more than all may', async () => {
    const { ends, run } = tasks();
    const queue = createTaskQueue(3, 100);
    const large = queue.add(1000, run);
    assert.equal(await isSettled(large), false);
    ends[0]!();
    await large;
    await queue.settle();
  });

  it('throws the first error, once all have ended', async () => {
    const { ends, run } = tasks();
    const queue = createTaskQueue(3);
    await queue.add(0, run);
    await queue.add(0, async () => {
      throw new Error('no');
    });
    const end = queue.settle();
    assert.equal(await isSettled(end), false);
    ends[0]!();
    await assert.rejects(end, /^Error: no$/);
  });
});
