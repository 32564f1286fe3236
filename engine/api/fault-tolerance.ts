// The options `checkpoint` and `restart` of a session, with numbers instead of texts.
import { notYet, SluiceError } from '../errors/error.ts';
import { parseDuration } from '../time/duration.ts';
import { oneOf, positiveNumber, readOptions, wholeNumber } from './options.ts';
import type { SessionOptions } from './surface.ts';

/** Times in milliseconds. */
export interface CheckpointSettings {
  readonly intervalMillis: number;
  /** A checkpoint that takes longer is given up. */
  readonly timeoutMillis: number;
  /** So many complete checkpoints stay in the directory. */
  readonly retained: number;
}

/** Flink's strategies. Times in milliseconds. */
export type RestartStrategy =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed-delay'; readonly attempts: number; readonly delayMillis: number }
  | {
      readonly kind: 'failure-rate';
      readonly failures: number;
      readonly perMillis: number;
      readonly delayMillis: number;
    }
  | {
      readonly kind: 'exponential-delay';
      readonly initialMillis: number;
      readonly maxMillis: number;
      readonly multiplier: number;
      /** A share of the delay, 0 to 1. */
      readonly jitter: number;
      readonly resetMillis: number;
    };

/** Flink's default with checkpoints: 1 s to 1 min, ×1.5, jitter 0.1, reset after 1 h. */
export const exponentialDelay: Extract<RestartStrategy, { readonly kind: 'exponential-delay' }> = {
  kind: 'exponential-delay',
  initialMillis: 1_000,
  maxMillis: 60_000,
  multiplier: 1.5,
  jitter: 0.1,
  resetMillis: 3_600_000,
};

/** Of a session whose notebook does not say. */
export const checkpointDefaults: CheckpointSettings = {
  intervalMillis: 10_000,
  timeoutMillis: 600_000,
  retained: 3,
};

const millis = (where: string, value: unknown, byDefault: number): number =>
  value === undefined || value === null ? byDefault : parseDuration(value, where);
const positiveMillis = (where: string, value: unknown, byDefault: number): number =>
  positiveNumber(where, millis(where, value, byDefault));

/** undefined: the notebook does not say. false: it wants none. */
export function checkpointSettings({ checkpoint }: SessionOptions): CheckpointSettings | false | undefined {
  if (checkpoint === undefined || checkpoint === false) return checkpoint;
  const where = 'The option checkpoint';
  const given = readOptions(where, checkpoint, ['interval', 'mode', 'unaligned', 'timeout', 'directory', 'retained']);
  const { mode, unaligned, directory, retained } = given;
  if (mode !== undefined) oneOf(`${where}.mode`, mode, ['exactly-once', 'at-least-once']);
  if (unaligned !== undefined && unaligned !== false) notYet('unaligned checkpoints (checkpoint.unaligned)');
  if (directory !== undefined)
    throw new SluiceError(
      'bad-option',
      `${where}.directory cannot be set by a cell, because the folder is locked before the cells run. ` +
        'Use sluice run --state DIR, or the setting sluice.checkpoints.directory.',
    );
  const intervalMillis = positiveNumber(
    `${where}.interval`,
    parseDuration(given['interval'] ?? '', `${where}.interval`),
  );
  const timeout = given['timeout'];
  return {
    intervalMillis,
    timeoutMillis:
      timeout === undefined
        ? checkpointDefaults.timeoutMillis
        : positiveNumber(`${where}.timeout`, parseDuration(timeout ?? '', `${where}.timeout`)),
    retained: retained === undefined ? checkpointDefaults.retained : atLeastOne(`${where}.retained`, retained),
  };
}

/** undefined: the notebook does not say. */
export function restartStrategy({ restart }: SessionOptions): RestartStrategy | undefined {
  if (restart === undefined) return undefined;
  const where = 'The option restart';
  const { kind } = readOptions(where, restart, allOptions);
  switch (oneOf(`${where}.kind`, kind, ['none', 'fixed-delay', 'failure-rate', 'exponential-delay'])) {
    case 'none':
      readOptions(where, restart, ['kind']);
      return { kind: 'none' };
    case 'fixed-delay': {
      const { attempts, delay } = readOptions(where, restart, ['kind', 'attempts', 'delay']);
      return {
        kind: 'fixed-delay',
        attempts: wholeNumber(`${where}.attempts`, attempts),
        delayMillis: millis(`${where}.delay`, delay, 1_000),
      };
    }
    case 'failure-rate': {
      const { failures, per, delay } = readOptions(where, restart, ['kind', 'failures', 'per', 'delay']);
      return {
        kind: 'failure-rate',
        failures: wholeNumber(`${where}.failures`, failures),
        perMillis: positiveMillis(`${where}.per`, per, 60_000),
        delayMillis: millis(`${where}.delay`, delay, 1_000),
      };
    }
    case 'exponential-delay': {
      const own = ['kind', 'initial', 'max', 'multiplier', 'jitter', 'resetAfter'];
      const byDefault = exponentialDelay;
      const given = readOptions(where, restart, own);
      const { initial, max, multiplier = byDefault.multiplier, jitter = byDefault.jitter, resetAfter } = given;
      if (typeof multiplier !== 'number' || !(multiplier >= 1) || !Number.isFinite(multiplier))
        throw new SluiceError('bad-option', `${where}.multiplier is a number of 1 or more. The delay would shrink.`);
      if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
        throw new SluiceError('bad-option', `${where}.jitter is a share of the delay, from 0 to 1.`);
      const initialMillis = positiveMillis(`${where}.initial`, initial, byDefault.initialMillis);
      const maxMillis = millis(`${where}.max`, max, byDefault.maxMillis);
      if (maxMillis < initialMillis)
        throw new SluiceError('bad-option', `${where}.max is shorter than its initial delay. Make it longer.`);
      const resetMillis = positiveMillis(`${where}.resetAfter`, resetAfter, byDefault.resetMillis);
      return { kind: 'exponential-delay', initialMillis, maxMillis, multiplier, jitter, resetMillis };
    }
  }
}
const allOptions = 'kind attempts delay failures per initial max multiplier jitter resetAfter'.split(' ');

function atLeastOne(what: string, value: unknown): number {
  const number = wholeNumber(what, value);
  if (number === 0) throw new SluiceError('bad-option', `${what} is 0: nothing would be left to restore from.`);
  return number;
}
