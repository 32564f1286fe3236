// Combines the watermarks of the channels of one input: the minimum over the aligned channels.
// Flink's StatusWatermarkValve.
//
//   a channel:  aligned ◄──watermark ≥ last output── unaligned
//                  └──idle──► idle ──active──► unaligned (aligned at once if it is not behind)
import type { Emitted } from './emitted.ts';

interface Channel {
  watermark: number;
  isActive: boolean;
  /** It counts for the minimum: it is active, and has once reached the output's watermark. */
  isAligned: boolean;
}
const nothing: Emitted[] = [];

export type ValveChannelState = Readonly<Channel>;
export interface ValveState {
  /** The last watermark that was emitted. */
  readonly last: number;
  readonly isActive: boolean;
}

export class WatermarkValve {
  readonly #channels: (Channel | undefined)[] = [];
  #last = -Infinity;
  #isActive = true;

  constructor(channels: number) {
    for (let i = 0; i < channels; i++) this.add();
  }
  /** Adds a channel, which holds time back until its first watermark. Returns its number. */
  add(): number {
    return this.#channels.push({ watermark: -Infinity, isActive: true, isAligned: true }) - 1;
  }
  /**
   * Removes the channel. Nothing is emitted, because an edit of the graph must not advance time.
   * The numbers of the other channels stay the same.
   */
  remove(channel: number): void {
    this.#channels[channel] = undefined;
  }

  watermark(channel: number, timestamp: number): Emitted[] {
    const state = this.#state(channel);
    if (!this.#isActive || !state.isActive || timestamp <= state.watermark) return nothing;
    state.watermark = timestamp;
    if (timestamp >= this.#last) state.isAligned = true;
    return this.#advanced(this.#minimum());
  }
  idle(channel: number): Emitted[] {
    const state = this.#state(channel);
    if (!state.isActive) return nothing;
    state.isActive = false;
    state.isAligned = false;
    const heldBack = state.watermark === this.#last;
    if (this.#channels.some((other) => other?.isActive)) return heldBack ? this.#advanced(this.#minimum()) : nothing;
    // No active channel is left, so the highest watermark of all channels is emitted.
    const flushed = heldBack ? this.#advanced(this.#maximum()) : nothing;
    this.#isActive = false;
    return [...flushed, 'idle'];
  }
  active(channel: number): Emitted[] {
    const state = this.#state(channel);
    if (state.isActive) return nothing;
    state.isActive = true;
    if (state.watermark >= this.#last) state.isAligned = true;
    if (this.#isActive) return nothing;
    this.#isActive = true;
    return ['active'];
  }

  get state(): ValveState {
    return { last: this.#last, isActive: this.#isActive };
  }
  channelState(channel: number): ValveChannelState {
    return { ...this.#state(channel) };
  }
  /**
   * Right after construction. A channel without a state is new: it holds time back until its first
   * watermark.
   */
  restore({ last, isActive }: ValveState, channels: ReadonlyMap<number, ValveChannelState>): void {
    this.#last = last;
    this.#isActive = isActive;
    for (const [channel, state] of channels) Object.assign(this.#state(channel), state);
  }

  #state(channel: number): Channel {
    const state = this.#channels[channel];
    if (!state) throw new RangeError(`There is no channel ${channel}.`);
    return state;
  }
  #advanced(to: number): Emitted[] {
    if (to <= this.#last) return nothing;
    this.#last = to;
    return [{ watermark: to }];
  }
  /** −Infinity when no channel is aligned. */
  #minimum(): number {
    let minimum = Infinity;
    let any = false;
    for (const channel of this.#channels) {
      if (!channel?.isAligned) continue;
      any = true;
      if (channel.watermark < minimum) minimum = channel.watermark;
    }
    return any ? minimum : -Infinity;
  }
  #maximum(): number {
    let maximum = -Infinity;
    for (const channel of this.#channels) if (channel && channel.watermark > maximum) maximum = channel.watermark;
    return maximum;
  }
}
