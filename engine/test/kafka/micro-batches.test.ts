// Micro-batches over a topic. Every record arrives once, the estimator limits each batch, and the
// partitions share a batch by their lag.
import assert from 'node:assert/strict';
import { beforeAll, test } from 'vitest';
import { Environment, type MicroBatch } from '../../index.ts';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';

const skip = whyNoKafka() !== undefined;
const topic = `batches-${process.pid}`;
/** Records by partition: one is ten times as long as the next. */
const lengths = [200_000, 20_000, 2_000];
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));
beforeAll(async () => {
  if (skip) return;
  await client.createTopic(topic, lengths.length);
  for (const [partition, length] of lengths.entries())
    for (let from = 0; from < length; from += 10_000)
      await client.send(
        topic,
        Array.from({ length: Math.min(10_000, length - from) }, (_, i) => ({
          partition,
          value: { partition, n: from + i },
          timestamp: 1_000_000 + from + i,
        })),
      );
}, 300_000);

test(
  'a topic is read in batches that the estimator steers and the partitions share by their lag',
  { skip },
  async () => {
    const environment = new Environment({ mode: { microBatch: '100ms' } });
    const seen = lengths.map(() => new Set<number>());
    const batches: { row: MicroBatch; partitions: number[] }[] = [];
    let partitions = lengths.map(() => 0);
    environment
      .kafka<{ partition: number; n: number }>(topic, {
        from: 'earliest',
        until: 'latest',
        rate: { pid: { minRate: 500 } },
      })
      .map((one) => {
        // Each record takes 20 µs, so that the estimator limits the batch and not the backlog.
        const until = performance.now() + 0.02;
        while (performance.now() < until);
        return one;
      })
      .sink(({ partition, n }) => {
        assert.ok(!seen[partition]!.has(n), `${partition}:${n} comes twice`);
        seen[partition]!.add(n);
        partitions[partition]!++;
      });
    environment.microBatches().sink((row) => {
      batches.push({ row, partitions });
      partitions = lengths.map(() => 0);
    });
    const job = await environment.execute();
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const read = (): number => batches.reduce((sum, { row }) => sum + row.records, 0);
    while (read() < total && job.status === 'running') await new Promise((done) => setTimeout(done, 50));
    await job.stop();
    assert.deepEqual(
      seen.map(({ size }) => size),
      lengths,
    );
    const steered = batches.filter(({ row }) => row.rate !== null && row.behind > 2_000);
    assert.ok(steered.length >= 2, `${steered.length} batches were steered: ${JSON.stringify(batches)}`);
    // The first batches have no limit, and the reader hands over the partitions in any order. So
    // the test counts what a partition has left when a batch begins.
    const left = [...lengths];
    const compared: { readonly text: string; readonly ratio: number }[] = [];
    for (const batch of batches) {
      const { row, partitions: shares } = batch;
      const [first, second] = left as [number, number];
      if (steered.indexOf(batch) > 0) {
        assert.ok(row.records < 20_000, `${row.records} records in a batch`);
        // With fewer records, rounding decides. On a busy machine the records of a partition may
        // come too late for a batch.
        if (second > 500 && shares[1]! >= 10) {
          const ratio = shares[0]! / shares[1]! / (first / second);
          compared.push({ ratio, text: `of ${left.join(', ')} the partitions got ${shares.join(', ')}` });
        }
      }
      shares.forEach((share, partition) => (left[partition]! -= share));
    }
    // On a busy machine some batches have less than their share of a partition, but not all.
    const isShared = compared.some(({ ratio }) => ratio > 0.5 && ratio < 2);
    assert.ok(isShared, compared.map(({ text }) => text).join('; ') || JSON.stringify(batches));
  },
);

test('the estimator of a source steers nothing in a continuous session, and says so', { skip }, async () => {
  const environment = new Environment();
  environment.kafka(topic, { from: 'earliest', until: 'latest', rate: { pid: {} } }).sink(() => {});
  const job = await environment.execute();
  await assert.rejects(job.finished, { code: 'not-in-batches', message: /configure\(\{ mode: \{ microBatch/ });
});
