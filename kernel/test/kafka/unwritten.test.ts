// `sluice run` into a topic that cannot be written: the trouble is a line, and the end of the run
// counts the rows that are missing.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { startOwnCluster, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { Folder, start } from '../cli/sluice.ts';
import { until } from '../server/kernels.ts';

const notebook = `import { generate } from 'sluice';
// %% id=out
generate({ rate: 200 }, ({ n }) => ({ n })).to('half', { partitioner: ({ n }, partitions) => n % partitions });
`;

const trouble = /● live out +.*▲ half\[1\] .*; its rows are sent again; since \d\d:\d\d:\d\d/;

test(
  'a run that ends with rows unwritten counts them and fails; with all brokers it succeeds',
  { skip: whyNoKafka() !== undefined },
  async (t) => {
    const cluster = await startOwnCluster(2);
    const client = await independentClient(cluster.brokers);
    vi.stubEnv('SLUICE_BROKERS', cluster.brokers);
    t.onTestFinished(async () => {
      vi.unstubAllEnvs();
      await client.close();
      await cluster.stop();
    });
    const replicaAssignment = [1, 2].map((node, partition) => ({ partition, replicas: [node] }));
    await client.admin.createTopics({ topics: [{ topic: 'half', replicaAssignment }] });
    const path = new Folder(t).write('half.sluice.ts', notebook);
    const sizes = async (): Promise<number[]> => {
      const offsets = await client.admin.fetchTopicOffsets('half');
      return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
    };

    const well = start(['run', path]);
    await until(async () => Math.min(...(await sizes())) > 10, 'rows in both partitions');
    well.child.kill('SIGINT');
    const { code: wellCode, out: wellOut, err: wellErr } = await well.ended;
    assert.equal(wellCode, 0, wellOut + wellErr);
    const before = await sizes();
    assert.ok(Math.abs(before[0]! - before[1]!) <= 1, String(before));

    const { child, ended, out: printed } = start(['run', path]);
    await until(async () => Math.min(...(await sizes())) > before[0]! + 10, 'more rows in both partitions');
    await cluster.nodes[1]!.kill();
    await until(() => trouble.test(printed()), 'the line of the trouble');
    child.kill('SIGINT');
    const { code, out } = await ended;
    assert.equal(code, 1, out);
    const [, unwritten, all] = /✖ out: "to half": ([\d,]+) of ([\d,]+) rows are not written: half\[1\]/.exec(out) ?? [];
    const number = (text: string | undefined): number => Number(text?.replaceAll(',', ''));
    await cluster.nodes[1]!.start();
    const after = await sizes();
    const written = after.reduce((a, b) => a + b, 0) - before.reduce((a, b) => a + b, 0);
    assert.ok(number(unwritten) > 0, out);
    // What the broker wrote just before its end, without an answer, counts as unwritten.
    assert.ok(written >= number(all) - number(unwritten) && written < number(all), `${written} in the topic; ${out}`);
  },
);
