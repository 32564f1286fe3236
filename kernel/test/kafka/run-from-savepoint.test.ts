// `sluice run --from-savepoint` from the state that an exported job has left, into an exactly-once
// topic: with and without a state folder, of a topic without end and up to its end. What the run
// commits joins what the job has committed: each count comes once.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { startOwnBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import { followTopics } from '../../../engine/test/kafka/console-consumer.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { exported, folderOf, start as startJob } from '../cli/job-process.ts';
import { sluice, start } from '../cli/sluice.ts';

const options = { skip: whyNoKafka() !== undefined, timeout: 600_000 };
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

const keys = 6;
const perStep = 60;
const counting = (input: string, output: string, reads = ''): string => `// %% id=numbers
import { configure, count, kafka, param } from 'sluice';
configure({ checkpoint: { interval: '300ms' } });
const numbers = kafka<{ n: number; k: string }>('${input}', { from: 'earliest', format: 'json'${reads} });
numbers.show();

// %% id=counts
const counts = numbers.keyBy('k').aggregate({ c: count() });
counts.show();

// %% id=out
const out = param('out', '${output}');
counts.to(out, { key: 'k', delivery: 'exactly-once' });
`;

async function send(topic: string, from: number): Promise<void> {
  const messages = Array.from({ length: perStep }, (_, i) => {
    const n = from + i;
    return { partition: 0, value: { n, k: `k${n % keys}` } };
  });
  await client.send(topic, messages);
}
interface Row {
  readonly k: string;
  readonly c: number;
}
/** What Java's reader of committed records has read of a topic so far. */
class Committed {
  readonly rows: Row[] = [];

  static async of(t: TestContext, topic: string): Promise<Committed> {
    const consumer = await followTopics(broker.brokers, [topic], []);
    t.onTestFinished(() => consumer.close());
    const committed = new Committed();
    consumer.lines.on('line', (line) => committed.rows.push(JSON.parse(line) as Row));
    return committed;
  }
  /** Each key has counted up to `rows` over all keys, and each count is there once. */
  check(rows: number): void {
    for (const [key, counts] of Map.groupBy(this.rows, ({ k }) => k))
      assert.deepEqual(
        counts.map(({ c }) => c),
        Array.from({ length: rows / keys }, (_, i) => i + 1),
        key,
      );
    assert.equal(this.rows.length, rows);
  }
}

/** The notebook, and the state of a job that has counted the first numbers and was stopped. */
async function stoppedJob(
  t: TestContext,
  name: string,
  { reads = '', least = perStep } = {},
): Promise<Record<'notebook' | 'state' | 'input', string> & { readonly committed: Committed }> {
  const [input, output] = [`${name}-in`, `${name}-out`];
  for (const topic of [input, output]) await client.createTopic(topic, 1);
  await send(input, 0);
  const folder = folderOf(t, { 'n.sluice.ts': counting(input, output, reads) });
  const job = await exported(folder);
  const committed = await Committed.of(t, output);
  const life = startJob(job, { SLUICE_BROKERS: broker.brokers });
  await life.until(() => committed.rows.length >= least, 'the first rows');
  assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
  return { notebook: join(folder, 'n.sluice.ts'), state: join(job, 'state', 'n'), input, committed };
}

for (const [what, more] of [
  ['without a state folder', () => []],
  ['with a state folder', (folder: string) => ['--state', join(folder, 'run-state')]],
] as const)
  test(`a run from the state of an exported job commits ${what}`, options, async (t) => {
    const { notebook, state, input, committed } = await stoppedJob(t, `run${more('x').length}`);
    await send(input, perStep);
    const life = start(['run', notebook, '--from-savepoint', state, ...more(join(notebook, '..'))]);
    let isOver = false;
    void life.ended.then(() => (isOver = true));
    while (!isOver && committed.rows.length < 2 * perStep) await sleep(50);
    await send(input, 2 * perStep);
    while (!isOver && committed.rows.length < 3 * perStep) await sleep(50);
    life.child.kill('SIGINT');
    const { code, out, err } = await life.ended;
    assert.equal(code, 0, `${out}${err}`);
    committed.check(3 * perStep);
  });

test('a run to the end of the topic commits its last rows too', options, async (t) => {
  // It takes ten seconds, so that the job is stopped before its end, on a busy machine too.
  const bounded = { reads: ", until: 'latest', rate: 6", least: 1 };
  const { notebook, state, committed } = await stoppedJob(t, 'bounded', bounded);
  const { code, out, err } = await sluice('run', notebook, '--from-savepoint', state);
  assert.equal(code, 0, `${out}${err}`);
  while (committed.rows.length < perStep) await sleep(50);
  committed.check(perStep);
});

test('a run into another topic than that of the savepoint is refused at once', options, async (t) => {
  const { notebook, state } = await stoppedJob(t, 'other');
  await client.createTopic('other-2', 1);
  const life = start(['run', notebook, '--from-savepoint', state, '--param', 'out=other-2']);
  const { code, out } = await life.ended;
  assert.equal(code, 1, out);
  assert.match(out, /"to other-2" .* has another target or delivery since the savepoint \(it was "to other-out"\)/);
});
