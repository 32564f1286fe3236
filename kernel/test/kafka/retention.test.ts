// Retention deletes records. A replay of old rows into a topic of seven days: the cell warns before
// its sink is armed, and a run prints the warning. A job whose next records are deleted says which.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { Folder, sluice, start } from '../cli/sluice.ts';
import { LiveSession } from '../session-live/live-session.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

const old = Date.UTC(2024, 0, 1);
const rowsTo = (topic: string): string =>
  `from([1, 2, 3].map((n) => ({ n, at: ${old} + n })), { timestamp: 'at' }).to('${topic}');`;
const written = async (topic: string): Promise<number> =>
  (await client.admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
async function newTopic(name: string): Promise<string> {
  const topic = `${name}-${process.pid}`;
  await client.createTopic(topic, 1, { 'retention.ms': String(7 * 86_400_000) });
  return topic;
}

test('a cell whose sink is not armed warns of its old rows, and writes none until it is armed', { skip }, async () => {
  const topic = await newTopic('preview');
  await using session = new LiveSession();
  session.edit('out', `import { from } from 'sluice';\n${rowsTo(topic)}`);
  await session.ran('out');
  const notes = (): string => session.state('out')?.notes.join('\n') ?? '';
  await session.until(notes, (text) => text.includes('when they are written'), 'the warning');
  assert.ok(notes().includes('rows of this sink are older (the oldest 2024-01-01T00:00:00.001Z)'), notes());
  assert.equal(await written(topic), 0);
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(notes, (text) => text.includes('and 3 rows are older'), 'the warning of the armed sink');
  for (const deadline = Date.now() + 60_000; (await written(topic)) < 3;)
    assert.ok(Date.now() < deadline, 'the rows are not written');
});

test('a run prints the warning and writes the rows', { skip }, async (t) => {
  const topic = await newTopic('run');
  const path = new Folder(t).write('old.sluice.ts', `import { from } from 'sluice';\n// %% id=out\n${rowsTo(topic)}\n`);
  const { code, out, err } = await sluice('run', path);
  assert.equal(code, 0, out + err);
  assert.match(
    out,
    /▲ (?:out {2})?topic "run-\d+" keeps rows for 7 days, and 3 rows are older \(the oldest 2024-01-01T/,
  );
  assert.equal(await written(topic), 3);
});

test(
  'a job whose next records are deleted goes on as offsetReset says, and names what is lost',
  { skip },
  async (t) => {
    const topic = `lost-${process.pid}`;
    await client.createTopic(topic);
    await client.send(
      topic,
      Array.from({ length: 10 }, (_, n) => ({ value: { n } })),
    );
    const folder = new Folder(t);
    const write = (policy: string): string =>
      folder.write(
        'job.sluice.ts',
        `import { kafka } from 'sluice';\n// %% id=out\nkafka('${topic}', { from: 'earliest', format: 'json'${policy} }).show();\n`,
      );
    const path = write('');
    const state = `${path}.state`;
    const first = start(['run', path, '--json', '--state', state]);
    const shows = async ({ child, out }: ReturnType<typeof start>, text: RegExp): Promise<void> => {
      while (!text.test(out())) {
        assert.equal(child.exitCode, null, out());
        await sleep(20);
      }
    };
    await shows(first, /"n":9\b/);
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    await client.send(
      topic,
      Array.from({ length: 10 }, (_, n) => ({ value: { n: 10 + n } })),
    );
    await client.deleteBefore(topic, 0, 15);

    write(", offsetReset: 'earliest'");
    const going = start(['run', path, '--json', '--from-savepoint', state]);
    await shows(going, /"n":19\b/);
    going.child.kill('SIGTERM');
    const { code, err } = await going.ended;
    assert.equal(code, 0, err);
    assert.match(
      err,
      new RegExp(`▲ .*${topic}\\[0\\] lost the offsets 10 to 14 \\(5\\): the topic's retention deleted`),
    );
  },
);

const deadJobs = {
  'offsets are deleted by retention': {
    change: async (topic: string) => {
      await client.deleteBefore(topic, 0, 15);
    },
    error: /\[0\] begins at offset 15 now: what was before it, 10 on, has been deleted by the topic's retention/,
  },
  'topic is made again': {
    change: async (topic: string) => {
      await client.admin.deleteTopics({ topics: [topic] });
      await gone(topic);
      await client.createTopic(topic);
    },
    error: /was deleted and made again/,
  },
  // The last one: the client asks for each topic that it has written to, and one is gone then.
  'topic is deleted': {
    change: async (topic: string) => {
      await client.admin.deleteTopics({ topics: [topic] });
    },
    error: /is not on /,
  },
};
for (const [what, { change, error }] of Object.entries(deadJobs))
  test(
    `a job whose ${what} between two lives ends at once with that error, whatever its restart strategy`,
    { skip },
    async (t) => {
      const topic = `dead-${what.replaceAll(' ', '-')}-${process.pid}`;
      await client.createTopic(topic);
      const send = async (from: number): Promise<void> => {
        const rows = Array.from({ length: 10 }, (_, n) => ({ value: { n: from + n } }));
        await client.send(topic, rows);
      };
      await isThere(topic);
      await send(0);
      const path = new Folder(t).write(
        'job.sluice.ts',
        `import { kafka } from 'sluice';\n// %% id=out\nkafka('${topic}', { from: 'earliest', format: 'json' }).show();\n`,
      );
      const run = ['run', path, '--json', '--state', `${path}.state`];
      const first = start(run);
      while (!/"n":9\b/.test(first.out())) {
        assert.equal(first.child.exitCode, null, first.out());
        await sleep(20);
      }
      first.child.kill('SIGTERM');
      assert.equal((await first.ended).code, 0);
      await send(10);
      await change(topic);

      const { code, out, err } = await sluice(...run);
      assert.equal(code, 1, out + err);
      assert.match(out, error);
      assert.match(out, /It is not restarted, because it would fail in the same way again\./);
      assert.doesNotMatch(err, /The job restarts in/);
    },
  );

/** The brokers make a topic some time after their answer. */
async function isThere(topic: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    const offsets = await client.admin.fetchTopicOffsets(topic).catch(() => []);
    if (offsets.length > 0) return;
    assert.ok(Date.now() < deadline, 'the topic is not made');
  }
}
/** The brokers delete a topic some time after their answer. */
async function gone(topic: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; (await client.admin.listTopics()).includes(topic);) {
    assert.ok(Date.now() < deadline, 'the topic is not deleted');
    await sleep(50);
  }
}
