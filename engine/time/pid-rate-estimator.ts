// How many records per second the next micro-batch may hold: Spark's PID controller, driven by the
// processing rate.
//
//   rate       = n / processingDelay · 1000                 records/s of the last batch
//   error      = latestRate − rate                          proportional: error of the estimate
//   historical = schedulingDelay · rate / batchInterval     integral: the backlog, as records/s
//   dError     = (error − latestError) / seconds            derivative
//   new        = max(latestRate − P·error − I·historical − D·dError, minRate)
//
// Source: Apache Spark, PIDRateEstimator (org.apache.spark.streaming.scheduler.rate).
import { SluiceError } from '../errors/error.ts';

interface PidOptions {
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

  /**
   * Records/s for the next batch. undefined when this batch gives no estimate: it had no records or
   * took no time, or it was the first one, which only sets the initial rate.
   */
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
