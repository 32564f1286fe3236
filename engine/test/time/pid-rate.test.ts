// The estimator returns the recorded rates of Spark's, call by call.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { PidRateEstimator } from '../../testing/index.ts';
import { vectors } from './vectors.ts';

interface Options {
  readonly batchIntervalMillis: number;
  readonly proportional: number;
  readonly integral: number;
  readonly derivative: number;
  readonly minRate: number;
}
interface PidVectors {
  readonly invalidArguments: readonly Options[];
  readonly vectors: readonly (Options & {
    readonly name: string;
    readonly calls: readonly {
      time: number;
      numElements: number;
      processingDelay: number;
      schedulingDelay: number;
      expected: number | null;
    }[];
  })[];
}
const estimatorOf = (o: Options): PidRateEstimator =>
  new PidRateEstimator({
    batchIntervalMs: o.batchIntervalMillis,
    proportional: o.proportional,
    integral: o.integral,
    derived: o.derivative,
    minRate: o.minRate,
  });
const recorded = vectors<PidVectors>('pid-rate.json');

test('the estimates are those of Spark', { skip: recorded.skip }, () => {
  if (recorded.skip !== false) return;
  for (const vector of recorded.data.vectors) {
    const estimator = estimatorOf(vector);
    for (const [index, call] of vector.calls.entries()) {
      const estimate = estimator.compute(call.time, call.numElements, call.processingDelay, call.schedulingDelay);
      const where = `${vector.name}, call ${index + 1}`;
      if (call.expected === null) assert.equal(estimate, undefined, where);
      else
        assert.ok(
          Math.abs(estimate! - call.expected) <= 1e-9 * Math.abs(call.expected),
          `${where}: ${estimate} is not ${call.expected}`,
        );
    }
  }
});

test('what Spark refuses is refused', { skip: recorded.skip }, () => {
  if (recorded.skip !== false) return;
  for (const options of recorded.data.invalidArguments) assert.throws(() => estimatorOf(options), /PID estimator/);
});
