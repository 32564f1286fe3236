// toArray and for await: their requests to the runner of the graph, and their errors.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import type { Endpoint, Fragment, PullHost } from '../../api/fragment.ts';
import { reference } from '../../api/reference.ts';
import { file, from, generate, kafka } from '../../index.ts';

/** Answers every pull with 1, 2, 3 and keeps the requests. */
class Answering implements PullHost {
  readonly asked: { from: Endpoint; label: string; fragment: Fragment }[] = [];
  returned = 0;
  pull(start: Endpoint, label: string, fragment: Fragment): AsyncIterableIterator<unknown> {
    this.asked.push({ from: start, label, fragment });
    const rows = [1, 2, 3];
    return {
      next: async () => (rows.length > 0 ? { done: false, value: rows.shift() } : { done: true, value: undefined }),
      return: async () => {
        this.returned++;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
function cell(options = {}) {
  const host = new Answering();
  const builder = new Builder({ group: 'cell', pullHost: host, ...options });
  return { host, builder, run: <R>(fn: () => R): R => runWithBuilder(builder, fn) };
}

test('toArray pulls from the stream’s place with what has been declared so far', async () => {
  const { host, builder, run } = cell();
  const rows = await run(() => {
    builder.variable = 'totals';
    const totals = generate({ limit: 3 }, ({ n }) => n);
    builder.variable = 'first';
    return totals.take(3).toArray();
  });
  assert.deepEqual(rows, [1, 2, 3]);
  const [asked] = host.asked;
  assert.deepEqual(asked?.from, { node: 'cell/first/take#1', port: 'out' });
  assert.equal(asked?.label, 'totals');
  assert.deepEqual(
    asked?.fragment.nodes.map((node) => node.uid),
    ['cell/totals/generate#1', 'cell/first/take#1'],
  );
});

test('leaving a for await early gives the branch back', async () => {
  const { host, run } = cell();
  const seen: number[] = [];
  await run(async () => {
    for await (const n of kafka<number>('t')) {
      seen.push(n);
      if (n === 2) break;
    }
  });
  assert.deepEqual(seen, [1, 2]);
  assert.equal(host.returned, 1);
});

interface Pullable {
  toArray(): Promise<unknown[]>;
}
const unbounded: Readonly<Record<string, [source: string, stream: () => Pullable]>> = {
  'generate without limit': ['generate', () => generate({}, () => 1)],
  'a topic without until': ['kafka t', () => kafka('t').map((e) => e)],
  'one side of a union': ['kafka t', () => from<unknown>([1]).union(kafka('t'))],
  'one side of connect': ['kafka t', () => from([1]).connect(kafka('t')).map(String, String)],
  'a take on the other side only': ['kafka t', () => kafka('u').take(1).union(kafka('t'))],
  'errors of a topic': ['kafka t', () => kafka('t').errors],
};
for (const [what, [source, stream]] of Object.entries(unbounded))
  test(`toArray refuses what never ends: ${what}`, async () => {
    const { host, run } = cell();
    await assert.rejects(
      run(() => stream().toArray()),
      (error: { code?: unknown; message?: string }) =>
        error.code === 'unbounded' && error.message?.includes(`${source} has no end`) === true,
    );
    assert.equal(host.asked.length, 0);
  });

const bounded: Readonly<Record<string, () => Pullable>> = {
  'generate with limit': () => generate({ limit: 5 }, () => 1),
  'a topic up to its present end': () => kafka('t', { until: 'latest' }),
  'a file': () => file('a.csv'),
  'an array': () => from([1]),
  'an async iterable, which may end': () => from((async function* () {})()),
  'a take somewhere above': () =>
    kafka('t')
      .take(5)
      .map((e) => e),
};
for (const [what, stream] of Object.entries(bounded))
  test(`toArray takes what ends: ${what}`, async () => {
    const { run } = cell({ resolvePath: (path: string) => path });
    assert.deepEqual(await run(() => stream().toArray()), [1, 2, 3]);
  });

test('whether a stream of another cell ends is asked of the session', async () => {
  const stream = cell().run(() => from([1]));
  const asked: Endpoint[] = [];
  const isBounded = (endpoint: Endpoint): boolean => {
    asked.push(endpoint);
    return false;
  };
  const { run } = cell({ isBounded });
  await assert.rejects(
    run(() =>
      reference(stream, 'a', 'orders')
        .map((e) => e)
        .toArray(),
    ),
    { code: 'unbounded', message: /orders has no end/ },
  );
  assert.deepEqual(asked, [{ group: 'a', variable: 'orders', port: 'out' }]);
});

test('a pull without a running session is an error that gives the reason', async () => {
  const builder = new Builder({ group: 'cell' });
  await assert.rejects(
    runWithBuilder(builder, () => from([1]).toArray()),
    { code: 'cannot-pull' },
  );
});
