// Value state of a process function: one value per key and name, with an optional time to live by processing time.
//
// Written (or, with refresh 'read-write', read) at t, a value is expired iff t + ttl ≤ now; an expired value is never given out.
import type { ValueState } from '../api/surface.ts';
import type { StateSpec } from '../graph/state-spec.ts';
import { deepFreeze } from './freeze.ts';
import { assertStorable } from '../values/storable.ts';

/** The values of one key, in the order of the state's names. undefined: none. */
export interface Values {
  readonly values: unknown[];
  /** When each expires; absent when no state has a time to live. */
  readonly expiresAt?: number[];
}
/** The key that user code is working on at the moment. */
export interface CurrentKey {
  readonly current: Values;
  now(): number;
  /** The current key's values have changed. */
  touch(): void;
}

/** What `ctx.state.name` is: always about the current key. */
export function valueState(
  owner: CurrentKey,
  index: number,
  spec: StateSpec,
  what: string,
  freeze: boolean,
): ValueState<unknown> {
  const { ttlMillis, refresh } = spec;
  const written = (values: Values): void => {
    if (ttlMillis !== undefined) values.expiresAt![index] = owner.now() + ttlMillis;
    owner.touch();
  };
  return {
    get() {
      const values = owner.current;
      const value = values.values[index];
      if (value === undefined || ttlMillis === undefined) return value;
      if (values.expiresAt![index]! <= owner.now()) {
        values.values[index] = undefined;
        owner.touch();
        return undefined;
      }
      if (refresh === 'read-write') written(values);
      return value;
    },
    set(value) {
      assertStorable(value, what);
      if (freeze) deepFreeze(value);
      owner.current.values[index] = value;
      written(owner.current);
    },
    clear() {
      owner.current.values[index] = undefined;
      owner.touch();
    },
  };
}
