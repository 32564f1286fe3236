// `sluice run --state` whose transaction expires on a real broker while the job is dead: the next
// start names the topic and the offsets, goes back to the checkpoint before, and each row is there
// once.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { startOwnCluster, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { followCommitted } from '../chaos/committed-rows.ts';
import { Folder, start } from '../cli/sluice.ts';

const records = 1_500;
const topic = 'expiring';
const notebook = `import { configure, generate } from 'sluice';
configure({ checkpoint: { interval: '1s' } });
const rows$ = generate({ rate: 300, limit: ${records} }, ({ n }) => ({ n }));

// %% id=out
rows$.to('${topic}', { delivery: 'exactly-once', transactionTimeout: '8s' });
`;
const properties = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' };
const behind = (what: string): string => JSON.stringify({ end: what });

test(
  'an expired transaction is named with topic and offsets, and its rows are written again',
  { skip: whyNoKafka() !== undefined },
  async (t) => {
    const broker = await startOwnCluster(1, { listeners: [], formatArguments: [], properties });
    const client = await independentClient(broker.brokers);
    vi.stubEnv('SLUICE_BROKERS', broker.brokers);
    t.onTestFinished(async () => {
      vi.unstubAllEnvs();
      await client.close();
      await broker.stop();
    });
    await client.createTopic(topic);
    const committed = await followCommitted({ brokers: broker.brokers, topics: [topic], topicOf: () => topic });
    t.onTestFinished(() => committed.close());
    /** A reader of committed records that has read this record has read all before it. */
    const readTo = async (what: string): Promise<void> => {
      await client.producer.send({ topic, messages: [{ value: behind(what) }] });
      while (!committed.rows(topic).some(({ value }) => value === behind(what))) await sleep(50);
    };
    const numbers = (values: readonly { readonly value: string }[]): number[] =>
      values.flatMap(({ value }) => (JSON.parse(value) as { n?: number }).n ?? []).sort((a, b) => a - b);

    const path = new Folder(t).write('job.sluice.ts', notebook);
    const args = ['run', path, '--json', '--state', join(dirname(path), 'state')];
    // At the third time: an older checkpoint is kept.
    vi.stubEnv('SLUICE_FAILPOINT', 'before-commit:3');
    const killed = await start(args).ended;
    assert.equal(killed.code, null, killed.out + killed.err);
    vi.stubEnv('SLUICE_FAILPOINT', '');
    await readTo('aborted');
    const before = committed.rows(topic);
    const [end, ...earlier] = before.map(({ offset }) => offset).sort((a, b) => b - a);
    assert.ok(end !== undefined && earlier.length > 0, 'rows of an earlier checkpoint are committed');

    const next = await start(args).ended;
    assert.equal(next.code, 0, next.out + next.err);
    const said = new RegExp(
      `The transaction "sluice-\\S+" of a complete checkpoint was aborted before it was committed: its time-out .*` +
        `offsets ${topic}\\[0\\] (\\d+) to (\\d+)\\. .* So checkpoint \\d+ is not used, ` +
        `and the session goes on from checkpoint \\d+ of \\d{4}-`,
    ).exec(next.err);
    assert.ok(said, next.err);
    const [first, last] = [Number(said[1]), Number(said[2])];
    assert.ok(earlier[0]! < first && first < last && last < end, `${earlier[0]} < ${first} < ${last} < ${end}`);

    await readTo('all');
    assert.deepEqual(
      numbers(committed.rows(topic)),
      Array.from({ length: records }, (_, n) => n),
    );
  },
);
