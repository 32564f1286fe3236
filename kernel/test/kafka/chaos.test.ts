// The chaos in small, with schedules that do not change: 20 kills of executor, kernel and broker,
// two of them of the broker and one at each failpoint; and a few kills while records are late. The
// hour of it is `npm run chaos`.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { failpoints } from '../../../engine/contract/failpoints.ts';
import { outputs } from '../chaos/batch-result.ts';
import { chaos, type ChaosResult } from '../chaos/chaos.ts';
import { block } from '../chaos/schedule.ts';

const timeout = { timeout: 2_400_000 };

/**
 * No row is lost or doubled, and everything that the schedule has planned happens. `said`: for a
 * message.
 */
async function right(
  seed: number,
  kills: number,
  hasLate: boolean,
): Promise<{ readonly result: ChaosResult; readonly said: string }> {
  const lines: string[] = [];
  const result = await chaos({
    ...{ seed, until: { kills }, delivery: 'exactly-once', hasLate, pauseMillis: 150 },
    print: (line) => void lines.push(line),
  }).catch((error: unknown) => {
    throw new Error(`The chaos ended after:\n${lines.join('\n')}`, { cause: error });
  });
  const faults = JSON.stringify(result.faults.slice(0, 20));
  const said = `${result.line}\n${result.happened}\n${faults}\n${lines.join('\n')}`;
  const rows = Object.values(result.rows).reduce((sum, count) => sum + count, 0);
  assert.equal(result.line, `${kills} kills, ${rows} rows, 0 lost, 0 doubled`, said);
  assert.equal(result.isRight, true, said);
  for (const topic of outputs)
    if (hasLate || topic !== 'late') assert.ok(result.rows[topic] > 0, `rows in ${topic}: ${said}`);
  return { result, said };
}

describe.skipIf(whyNoKafka() !== undefined)('the chaos', () => {
  test('20 kills, 2 of the broker, one at each failpoint; partitions added, and cells run again', timeout, async () => {
    const { result, said } = await right(596, block, false);
    assert.equal(result.times('broker'), 2, said);
    for (const name of failpoints) assert.equal(result.times(name), 1, `${name}: ${said}`);
    for (const kind of ['executor', 'add-partition', 'run-again'] as const)
      assert.ok(result.times(kind) > 0, `${kind}: ${said}`);
  });

  test('6 kills while records of one partition are late, and go into a topic', timeout, async () => {
    const { result, said } = await right(592, 6, true);
    for (const kind of ['broker', 'executor', 'kernel', 'before-commit', 'after-precommit', 'run-again'] as const)
      assert.ok(result.times(kind) > 0, `${kind}: ${said}`);
  });
});
