// What an input gate had heard of time, as a snapshot keeps it, and which slot of another gate each
// part of it belongs to.
import type { Emitted } from '../time/emitted.ts';
import type { PartitionWatermarksState } from '../time/partition-watermarks.ts';
import type { ValveChannelState, ValveState } from '../time/watermark-valve.ts';

export interface SlotState {
  readonly input: 0 | 1;
  /** The output that the slot reads, or was the last to read. */
  readonly upstream: string | undefined;
  readonly ended: boolean;
  readonly time: ValveChannelState;
}
export interface GateState {
  readonly slots: readonly SlotState[];
  /** By input. */
  readonly inputs: readonly ValveState[];
  /** Of an operator with two inputs. */
  readonly combined?: PartitionWatermarksState | undefined;
  /** Watermarks and idleness that the operator has not been told yet. */
  readonly owed: readonly Emitted[];
}

/** A slot of the gate that is restored. */
export interface SlotPlace {
  readonly input: 0 | 1;
  /** undefined: nothing feeds it. */
  readonly upstream: string | undefined;
}

/**
 * For each slot the state that it goes on with. The state of the same upstream comes first, however
 * the inputs are ordered now. A slot whose upstream is another one, or gone, goes on with the state
 * at its place, if no other slot has it. undefined: the slot is new.
 */
export function matchSlots(
  slots: readonly SlotPlace[],
  saved: readonly SlotState[],
): readonly (SlotState | undefined)[] {
  const taken = new Set<SlotState>();
  const take = (state: SlotState | undefined): SlotState | undefined => {
    if (state) taken.add(state);
    return state;
  };
  const byUpstream = slots.map(({ input, upstream }) =>
    upstream === undefined
      ? undefined
      : take(saved.find((one) => !taken.has(one) && one.input === input && one.upstream === upstream)),
  );
  return slots.map(({ input }, index) => {
    const atPlace = saved[index];
    return byUpstream[index] ?? (atPlace?.input === input && !taken.has(atPlace) ? take(atPlace) : undefined);
  });
}
