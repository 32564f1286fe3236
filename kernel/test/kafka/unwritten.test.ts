// `sluice run` into a topic that cannot be written: the trouble is a line, and the end of the run
// counts the rows that are missing.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startOwnCluster, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { Folder, sluice, start } from '../cli/sluice.ts';

const notebook = `import { generate } from 'sluice';
// %% id=out
generate({ rate: 200 }, ({ n }) => ({ n })).to('half', { partitioner: ({ n }, partitions) => n % partitions });
`;

test(
  'a run that ends with rows unwritten counts them and fails; with all brokers it succeeds',
  { skip: whyNoKafka() !== undefined },
  async (t) => {
    const cluster = await startOwnCluster(2);
    const client = await independentClient(cluster.brokers);
    const former = process.env['SLUICE_BROKERS'];
    process.env['SLUICE_BROKERS'] = cluster.brokers;
    t.onTestFinished(async () => {
      if (former === undefined) delete process.env['SLUICE_BROKERS'];
      else process.env['SLUICE_BROKERS'] = former;
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

    const well = await sluice('run', path, '--for', '2s');
    assert.equal(well.code, 0, well.out + well.err);
    const before = await sizes();
    assert.ok(before[0]! > 50 && Math.abs(before[0]! - before[1]!) <= 1, String(before));

    const { ended } = start(['run', path, '--for', '12s']);
    await cluster.nodes[1]!.kill();
    const { code, out } = await ended;
    assert.equal(code, 1, out);
    assert.match(out, /● live out +.*▲ half\[1\] .*; its rows are sent again; since \d\d:\d\d:\d\d/);
    const [, unwritten, all] = /✖ out: "to half": ([\d,]+) of ([\d,]+) rows are not written: half\[1\]/.exec(out) ?? [];
    const number = (text: string | undefined): number => Number(text?.replaceAll(',', ''));
    await cluster.nodes[1]!.start();
    const after = await sizes();
    const written = after.reduce((a, b) => a + b, 0) - before.reduce((a, b) => a + b, 0);
    assert.ok(number(unwritten) > 500, out);
    assert.equal(written, number(all) - number(unwritten));
  },
);
