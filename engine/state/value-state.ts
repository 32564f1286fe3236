// Value state of a process function: one value per key and name, with an optional time to live in
// processing time.
//
// A value that was written (or, with refresh 'read-write', read) at time t is expired iff t + ttl ≤
// now. An expired value is never returned.
import type { ValueState } from '../api/surface.ts';
import type { StateSpec } from '../graph/state-spec.ts';
import { deepFreeze } from './freeze.ts';
import { assertStorable } from '../values/storable.ts';

/** The values of one key, in the order of the state's names. undefined: none. */
export interface Values {
  readonly values: unknown[];
  /** Expiry time of each value; absent when no state has a time to live. */
  readonly expiresAt?: number[];
}
/** The key that user code is working on at the moment. */
export interface CurrentKey {
  readonly current: Values;
  now(): number;
  /** The current key's values are about to change. */
  touch(): void;
  /**
   * A value of the current key, with a time to live, expires at this time or later. `items`: how
   * many were written or renewed.
   */
  expires?(at: number, items?: number): void;
}

/** The value of `ctx.state.name`. It always refers to the current key. */
export function valueState(
  owner: CurrentKey,
  index: number,
  spec: StateSpec,
  what: string,
  freeze: boolean,
): ValueState<unknown> {
  const { ttlMillis, refresh } = spec;
  const written = (values: Values): void => {
    if (ttlMillis === undefined) return;
    const at = owner.now() + ttlMillis;
    values.expiresAt![index] = at;
    owner.expires?.(at);
  };
  return {
    get() {
      const values = owner.current;
      const value = values.values[index];
      if (value === undefined || ttlMillis === undefined) return value;
      if (values.expiresAt![index]! <= owner.now()) {
        owner.touch();
        values.values[index] = undefined;
        return undefined;
      }
      if (refresh === 'read-write') {
        owner.touch();
        written(values);
      }
      return value;
    },
    set(value) {
      assertStorable(value, what);
      if (freeze) deepFreeze(value);
      owner.touch();
      owner.current.values[index] = value;
      written(owner.current);
    },
    clear() {
      owner.touch();
      owner.current.values[index] = undefined;
    },
  };
}
