// The input side of a task: one slot per declared edge. It chooses what comes next, combines time,
// and aligns barriers.
//
// A slot outlives its channel:
//
//   attached ─upstream removed─► detached (keeps its last watermark: an edit fires nothing)
//      ▲  └─upstream replaced─► attached to the new channel, at the barrier
//      └──────── upstream is back ────────┘
import type { Batch } from '../contract/operator.ts';
import { invariant } from '../errors/invariant.ts';
import { PartitionWatermarks } from '../time/partition-watermarks.ts';
import { WatermarkValve } from '../time/watermark-valve.ts';
import type { Emitted } from '../time/emitted.ts';
import { type Barrier, type Channel, isMark, type Mark } from './channel.ts';
import { type GateState, matchSlots } from './gate-state.ts';

export interface Slot {
  readonly input: 0 | 1;
  /** Index of the slot among those of its input, for the watermark valve. */
  readonly channelIndex: number;
  channel: Channel | undefined;
  /** The output that it reads, or was the last to read. */
  upstream: string | undefined;
  ended: boolean;
  /** Its barrier has arrived; it waits for those of the other slots. */
  aligned: boolean;
}
export type GateItem =
  | { readonly kind: 'batch'; readonly slot: Slot; readonly batch: Batch }
  | { readonly kind: 'time'; readonly emitted: readonly Emitted[] }
  | { readonly kind: 'barrier'; readonly barrier: Barrier }
  | { readonly kind: 'ended' };

export class InputGate {
  readonly slots: readonly Slot[];
  /** The epoch that this task has passed; older barriers are ignored. */
  epoch: number;
  readonly #valves: readonly WatermarkValve[];
  readonly #combined: PartitionWatermarks | undefined;
  #next = 0;
  #barrier: Barrier | undefined;
  #isEndTaken = false;
  /** Watermarks and idleness that follow from a change of channels; taken before anything else. */
  #owed: Emitted[] = [];

  constructor(inputs: readonly (0 | 1)[], epoch: number) {
    const counts = [0, 0];
    this.slots = inputs.map((input) => ({
      input,
      channelIndex: counts[input]!++,
      channel: undefined,
      upstream: undefined,
      ended: false,
      aligned: false,
    }));
    this.epoch = epoch;
    this.#valves = counts.map((count) => new WatermarkValve(count));
    this.#combined = counts[1]! > 0 ? new PartitionWatermarks(2) : undefined;
  }

  /** Every slot has ended, and the task has taken the end. */
  get ended(): boolean {
    return this.#isEndTaken;
  }
  /** Something can be taken now. */
  get ready(): boolean {
    if (this.#owed.length > 0 || (this.#barrier && this.#allAligned)) return true;
    for (const slot of this.slots) if (slot.channel && !slot.aligned && !slot.channel.empty) return true;
    return false;
  }

  /**
   * The next item, slots in turn; undefined when nothing waits. `barriersOnly`: the task has no
   * room for records. Barriers need none.
   */
  next(barriersOnly = false): GateItem | undefined {
    if (this.#owed.length > 0 && !barriersOnly) return { kind: 'time', emitted: this.#owed.splice(0) };
    const count = this.slots.length;
    for (let tried = 0; tried < count; tried++) {
      const slot = this.slots[(this.#next + tried) % count]!;
      if (!slot.channel || slot.aligned || slot.channel.empty) continue;
      if (barriersOnly && !isBarrier(slot.channel.peek()!)) continue;
      this.#next = (this.#next + tried + 1) % count;
      const item = slot.channel.shift()!;
      if (!isMark(item)) return { kind: 'batch', slot, batch: item };
      switch (item.kind) {
        case 'watermark':
          return this.#time(slot, this.#valves[slot.input]!.watermark(slot.channelIndex, item.time));
        case 'idle':
          return this.#time(slot, this.#valves[slot.input]!.idle(slot.channelIndex));
        case 'active':
          return this.#time(slot, this.#valves[slot.input]!.active(slot.channelIndex));
        case 'end':
          slot.ended = true;
          if (this.#isEndTaken || !this.slots.every((other) => other.ended)) return { kind: 'time', emitted: [] };
          this.#isEndTaken = true;
          return { kind: 'ended' };
        case 'barrier': {
          if (item.epoch <= this.epoch) return { kind: 'time', emitted: [] };
          invariant(
            this.#barrier === undefined || this.#barrier.epoch === item.epoch,
            'the barriers that a gate aligns have one epoch',
          );
          slot.aligned = true;
          this.#barrier = item;
          return this.takeAligned() ?? { kind: 'time', emitted: [] };
        }
      }
    }
    return undefined;
  }

  /** The barrier, once every attached slot has it. Also asked after a slot was cut off. */
  takeAligned(): GateItem | undefined {
    const barrier = this.#barrier;
    if (!barrier || !this.#allAligned) return undefined;
    this.#barrier = undefined;
    return { kind: 'barrier', barrier };
  }

  get #allAligned(): boolean {
    return !this.slots.some((slot) => slot.channel && !slot.aligned);
  }

  /**
   * The barrier has been passed: its slots flow again, over new channels where the mutation brought
   * some.
   */
  passed(epoch: number, channels?: readonly (Channel | undefined)[]): void {
    invariant(epoch > this.epoch, 'a task passes barriers in the order of their epochs');
    this.epoch = epoch;
    // The runtime may have brought a barrier that was being aligned here, when the last channel was
    // cut.
    if (this.#barrier && this.#barrier.epoch <= epoch) this.#barrier = undefined;
    for (const slot of this.slots) slot.aligned = false;
    if (channels) this.connect(channels);
  }
  /** Slots get the channels of a mutation; a slot keeps what it knows of time. */
  connect(channels: readonly (Channel | undefined)[]): void {
    invariant(channels.length === this.slots.length, 'a mutation has a channel or none for each slot');
    this.slots.forEach((slot, index) => {
      if (slot.channel === channels[index]) return;
      slot.channel = channels[index];
      slot.ended = false;
      if (slot.channel) slot.upstream = slot.channel.writer;
      // The former upstream may have been idle. The new one counts as active.
      if (slot.channel)
        this.#owed.push(...this.#time(slot, this.#valves[slot.input]!.active(slot.channelIndex)).emitted);
    });
    // A new upstream may still be running where the former had ended.
    if (this.#isEndTaken) this.#isEndTaken = this.slots.every((slot) => slot.ended);
  }

  // ------------------------------------------------------------ snapshots

  /** undefined: the task has no inputs. */
  snapshot(): GateState | undefined {
    if (this.slots.length === 0) return undefined;
    return {
      slots: this.slots.map(({ input, channelIndex, upstream, ended }) => ({
        ...{ input, upstream, ended },
        time: this.#valves[input]!.channelState(channelIndex),
      })),
      inputs: this.#valves.map(({ state }) => state),
      combined: this.#combined?.snapshot(),
      owed: [...this.#owed],
    };
  }
  /**
   * Before the first item. The operator is told the time again, because it is a new one. Upstreams
   * say their time again too; what a slot knows already changes nothing.
   */
  restore({ slots: saved, inputs, combined, owed }: GateState): void {
    const places = this.slots.map(({ input, channel }) => ({ input, upstream: channel?.writer }));
    const states = matchSlots(places, saved);
    this.#valves.forEach((valve, input) => {
      const channels = this.slots.flatMap((slot, index) => {
        const state = states[index];
        return slot.input === input && state ? [[slot.channelIndex, state.time] as const] : [];
      });
      if (inputs[input]) valve.restore(inputs[input], new Map(channels));
    });
    if (combined) this.#combined?.restore(combined);
    this.#owed.unshift(...this.#told(combined), ...owed);
    this.slots.forEach((slot, index) => {
      const state = states[index];
      const hasOther = slot.channel !== undefined && slot.channel.writer !== state?.upstream;
      slot.ended = state !== undefined && state.ended && !hasOther;
      slot.upstream ??= state?.upstream;
      if (hasOther) this.#owed.push(...this.#time(slot, this.#valves[slot.input]!.active(slot.channelIndex)).emitted);
    });
  }
  /** What the operator had been told of time: the watermark, and whether its input was idle. */
  #told(combined: GateState['combined']): Emitted[] {
    const valve = this.#valves[0]!.state;
    const watermark = combined ? combined.combined : valve.last;
    const isIdle = combined ? combined.isIdle : !valve.isActive;
    return [...(watermark > -Infinity ? [{ watermark }] : []), ...(isIdle ? (['idle'] as const) : [])];
  }

  #time(slot: Slot, emitted: readonly Emitted[]): Extract<GateItem, { kind: 'time' }> {
    if (!this.#combined || emitted.length === 0) return { kind: 'time', emitted };
    return { kind: 'time', emitted: emitted.flatMap((one) => this.#combine(slot.input, one)) };
  }
  #combine(input: 0 | 1, one: Emitted): Emitted[] {
    const combined = this.#combined!;
    if (one === 'idle') return combined.idle(input);
    if (one === 'active') return combined.active(input);
    return combined.watermark(input, one.watermark);
  }
}

function isBarrier(item: Batch | Mark): boolean {
  return isMark(item) && item.kind === 'barrier';
}
