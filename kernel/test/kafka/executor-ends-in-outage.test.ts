// An exactly-once sink is replaced while its broker is away, and the executor ends before the sink
// has written its rows. No checkpoint has these rows, so they are read again. They go where they
// would have gone: to the target of before the edit.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { type OwnBroker, startOwnBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { followTopics } from '../../../engine/test/kafka/console-consumer.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { LiveSession } from '../session-live/live-session.ts';

let broker: OwnBroker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

/** It goes on at the number of the last checkpoint, and cannot start again. */
const source = `import { generate } from 'sluice';
const rows = generate({ rate: 50 }, ({ n }) => ({ n }));
rows;`;
const to = (topic: string): string => `rows.to('${topic}', { delivery: 'exactly-once' });`;

const last = 'the last record of this test';
async function numbersIn(topic: string): Promise<number[]> {
  await client.send(topic, [{ partition: 0, value: last }]);
  const consumer = await followTopics(broker.brokers, [topic], []);
  const numbers: number[] = [];
  for await (const line of consumer.lines) {
    if (line === last) break;
    numbers.push((JSON.parse(line) as { n: number }).n);
  }
  await consumer.close();
  return numbers;
}
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

/** The sink of cell `out` writes to the topic. Its broker is away, and it has rows to write. */
async function inOutage(session: LiveSession, topic: string): Promise<void> {
  session.edit('in', source);
  session.edit('out', to(topic));
  await session.ran('in', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(
    () => session.state('out')?.sink?.committed,
    (rows = 0) => rows > 0,
    'the first rows to be committed',
  );
  await broker.kill();
  await session.until(
    () => session.operators().find(({ kind }) => kind === 'kafkaSink')?.unwritten,
    (rows = 0) => rows > 20,
    'rows that cannot be written',
  );
}
/** The edit goes on behind the sink. The first number that came after it. */
async function waits(session: LiveSession): Promise<number> {
  await session.until(
    () => session.state('out'),
    (cell) => cell?.notes.some((note) => note.includes('has still to write')) === true,
    'the cell to say what the edit waits for',
  );
  const read = session.control.session.waitingChange?.read ?? {};
  const [progress] = Object.values(read);
  assert.ok(progress?.['n']);
  return progress['n'];
}
/**
 * All rows of before the edit, from where the sink was armed. Returns the first number behind them.
 */
function endOf(numbers: readonly number[], edited: number): number {
  const [from] = numbers;
  assert.ok(from !== undefined);
  const end = from + numbers.length;
  assert.deepEqual(numbers, upTo(from, end));
  assert.ok(end >= edited, `the last row is ${end - 1}, and ${edited} rows came before the edit`);
  return end;
}
/** No sink writes, and the last commit is made. */
async function isDisarmed(session: LiveSession): Promise<void> {
  await session.until(
    () => {
      const { plan, waitingChange, recovery } = session.control.session;
      const isWriting = plan.nodes.some(({ parameters }) => 'armed' in parameters && parameters.armed === true);
      return { isWriting, waits: waitingChange !== undefined, uncommitted: recovery.retired.length };
    },
    ({ isWriting, waits, uncommitted }) => !isWriting && !waits && uncommitted === 0,
    'the end of the sink',
  );
}

describe.skipIf(whyNoKafka() !== undefined)('when the executor ends while a sink waits for its broker,', () => {
  test('the rows of before an edit of its topic are in the former topic, and all others in the next one', async () => {
    await using session = new LiveSession();
    for (const name of ['moved', 'moved-2']) await client.createTopic(name, 1);
    await inOutage(session, 'moved');
    session.edit('out', to('moved-2'));
    await session.ran('out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.until(
      () => session.state('out')?.sink?.armed,
      (armed) => armed === true,
      'the second sink to be armed',
    );
    const edited = await waits(session);
    await session.crash();
    await broker.start();
    await session.until(
      () => session.state('out')?.sink,
      (sink) => sink?.target === 'topic moved-2' && sink.armed && (sink.committed ?? 0) > 20,
      'rows in the second topic',
    );
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
    await isDisarmed(session);
    const [first, second] = [await numbersIn('moved'), await numbersIn('moved-2')];
    const next = endOf(first, edited);
    assert.ok(second.length > 20);
    assert.deepEqual(second, upTo(next, next + second.length));
    assert.deepEqual(session.state('out')?.errors, []);
  });

  test('the rows of before it was disarmed are written, and then it is disarmed', async () => {
    await using session = new LiveSession();
    await client.createTopic('disarmed', 1);
    await inOutage(session, 'disarmed');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
    const edited = await waits(session);
    await session.crash();
    await broker.start();
    await isDisarmed(session);
    const written = await numbersIn('disarmed');
    endOf(written, edited);
  });
});
