// How many records a second the next micro-batch may hold: Spark's PID controller over the rate that was processed.
//
//   rate       = n / processingDelay · 1000                    records/s that the last batch got through
//   error      = latestRate − rate                             proportional: how far the estimate was off
//   historical = schedulingDelay · rate / batchInterval        integral: what has piled up, as records/s
//   dError     = (error − latestError) / seconds               derivative
//   new        = max(latestRate − P·error − I·historical − D·dError, minRate)
//
// Source: Apache Spark, PIDRateEstimator (org.apache.spark.streaming.scheduler.rate).
import { SluiceError } from '../errors/error.ts';

export interface PidOptions {
  readonly batchIntervalMs: number;
  /** Default 1. */
  readonly proportional?: number;
  /** Default 0.2. */
  readonly integral?: number;
  /** Default 0. */
  readonly derived?: number;
  /** Records/s; default 100. */
  readonly minRate?: number;
}

export class PidRateEstimator {
  readonly #interval: number;
  readonly #proportional: number;
  readonly #integral: number;
  readonly #derived: number;
  readonly #minRate: number;
  #latestTime = -1;
  #latestRate = -1;
  #latestError = -1;
  #isSeeded = false;

  constructor({ batchIntervalMs, proportional = 1, integral = 0.2, derived = 0, minRate = 100 }: PidOptions) {
    this.#interval = positive('batchIntervalMs', batchIntervalMs);
    this.#proportional = notNegative('proportional', proportional);
    this.#integral = notNegative('integral', integral);
    this.#derived = notNegative('derived', derived);
    this.#minRate = positive('minRate', minRate);
  }

  /** Records/s for the next batch; undefined when this batch says nothing: no records, no time, or the first one, which only seeds. */
  compute(timeMs: number, elements: number, processingDelayMs: number, schedulingDelayMs: number): number | undefined {
    if (!(timeMs > this.#latestTime && elements > 0 && processingDelayMs > 0)) return undefined;
    const seconds = (timeMs - this.#latestTime) / 1000;
    const rate = (elements / processingDelayMs) * 1000;
    const error = this.#latestRate - rate;
    const historical = (schedulingDelayMs * rate) / this.#interval;
    const dError = (error - this.#latestError) / seconds;
    const next = Math.max(
      this.#latestRate - this.#proportional * error - this.#integral * historical - this.#derived * dError,
      this.#minRate,
    );
    this.#latestTime = timeMs;
    if (!this.#isSeeded) {
      this.#isSeeded = true;
      this.#latestRate = rate;
      this.#latestError = 0;
      return undefined;
    }
    this.#latestRate = next;
    this.#latestError = error;
    return next;
  }
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new SluiceError('bad-option', `${name} of the PID estimator is ${value}; it must be above 0.`);
}
function notNegative(name: string, value: number): number {
  if (value >= 0) return value;
  throw new SluiceError('bad-option', `${name} of the PID estimator is ${value}; it must not be negative.`);
}
