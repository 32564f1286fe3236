// The watch over an executor's memory: garbage is collected first, and only what is really held
// ends the thread.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { heapLimitMegabytes, memoryLimit, MemoryWatch } from '../../executor/memory-limit.ts';

function watched(limit: number) {
  const said: string[] = [];
  const near: string[] = [];
  const thread = { used: 0, external: 0, heap: heapLimitMegabytes(limit) };
  const bytes = (megabytes: number): number => megabytes * 1024 * 1024;
  const watch = new MemoryWatch(limit, {
    look: () =>
      Promise.resolve({
        used_heap_size: bytes(thread.used),
        external_memory: bytes(thread.external),
        heap_size_limit: bytes(thread.heap),
      }),
    near: () => void near.push('near'),
    far: () => void near.push('far'),
    collectGarbage: () => void said.push('collect'),
    exceeded: ({ limitMegabytes, heldMegabytes }) => void said.push(`${heldMegabytes} of ${limitMegabytes}`),
  });
  const at = async (now: number, used: number, external = 0): Promise<string[]> => {
    Object.assign(thread, { used, external });
    await watch.lookAt(now);
    return said.splice(0);
  };
  return { at, thread, near };
}

test('a thread above its limit collects garbage first, and goes on when that was enough', async () => {
  const { at } = watched(1000);
  assert.deepEqual(await at(0, 999), []);
  assert.deepEqual(await at(100, 1100), ['collect']);
  assert.deepEqual(await at(200, 300), []);
  assert.deepEqual(await at(1500, 1100), ['collect'], 'later garbage counts from its own time');
  assert.deepEqual(await at(1600, 1200), []);
});

test('a thread that still holds too much a second later is ended', async () => {
  const { at } = watched(1000);
  assert.deepEqual(await at(0, 1100), ['collect']);
  assert.deepEqual(await at(900, 1200), []);
  assert.deepEqual(await at(1000, 1150), ['1150 of 1000']);
});

test('a thread is near its limit above half of it, and far again below two fifths', async () => {
  const { at, near } = watched(1000);
  for (const used of [400, 500, 501, 900, 450, 400, 399, 450]) await at(0, used);
  assert.deepEqual(near, ['near', 'far']);
});

test('a thread far above its limit is ended at once; buffers outside of the heap count', async () => {
  assert.deepEqual(await watched(1000).at(0, 10, 1700), ['1710 of 1000']);
  assert.deepEqual(await watched(1000).at(0, 600, 500), ['collect']);
});

test('a smaller heap of the whole process holds the thread to less', async () => {
  const { at, thread } = watched(1000);
  thread.heap = 300;
  assert.deepEqual(await at(0, 170), []);
  assert.deepEqual(await at(100, 500), ['500 of 180']);
});

test('the setting is in megabytes; without one it is half of the memory, at most 4096', () => {
  assert.equal(memoryLimit('512'), 512);
  assert.equal(memoryLimit('1'), 64);
  for (const unset of [undefined, '', '0', 'much']) assert.ok(memoryLimit(unset) >= 64 && memoryLimit(unset) <= 4096);
});
