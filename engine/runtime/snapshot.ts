// The state of a task between two lives: serialised key groups, and one value for the rest.
import { deserialize, serialize } from 'node:v8';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { GateState } from './gate-state.ts';

/** Only the key groups written since the former snapshot, unless `full`. */
export interface TaskSnapshot {
  readonly full: boolean;
  readonly groups: ReadonlyMap<number, Uint8Array>;
  readonly value?: Uint8Array;
  /** The last watermark that was emitted: watermarks must not go back after a restore. */
  readonly watermark: number;
  /** What its inputs had heard of time. A source has no inputs. */
  readonly gate?: GateState | undefined;
}

export class SnapshotWriter implements StateWriter {
  readonly full: boolean;
  readonly #groups = new Map<number, Uint8Array>();
  #value: Uint8Array | undefined;
  constructor(full: boolean) {
    this.full = full;
  }
  group(keyGroup: number, content: unknown): void {
    this.#groups.set(keyGroup, serialize(content));
  }
  value(content: unknown): void {
    this.#value = serialize(content);
  }
  done(watermark: number, gate?: GateState): TaskSnapshot {
    const value = this.#value;
    return { full: this.full, groups: this.#groups, ...(value && { value }), watermark, ...(gate && { gate }) };
  }
}

export function readSnapshot(snapshot: TaskSnapshot): StateReader {
  return {
    *groups() {
      for (const [keyGroup, bytes] of snapshot.groups) yield [keyGroup, deserialize(bytes) as unknown] as const;
    },
    value: () => (snapshot.value ? (deserialize(snapshot.value) as unknown) : undefined),
  };
}

/** The later snapshot on top of the earlier ones. */
export function mergeSnapshots(base: TaskSnapshot | undefined, next: TaskSnapshot): TaskSnapshot {
  if (!base || next.full) return { ...next, full: true };
  const value = next.value ?? base.value;
  return {
    full: true,
    groups: next.groups.size === 0 ? base.groups : new Map([...base.groups, ...next.groups]),
    ...(value && { value }),
    watermark: next.watermark,
    ...(next.gate && { gate: next.gate }),
  };
}
