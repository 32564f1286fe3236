// The channels between tasks: made for the next graph, connected at a barrier, cut when a writer
// goes at once.
import { invariant } from '../errors/invariant.ts';
import type { Batch } from '../contract/operator.ts';
import { kinds } from '../graph/kinds.ts';
import type { BarrierInFlight, Flip } from './barriers.ts';
import { Channel } from './channel.ts';
import { type ChannelPlace, type MutationPlan, placeKey, type RunningGraph } from './mutation-plan.ts';
import type { Task } from './task.ts';

/** Channels of the next graph, from the side of its tasks. */
export interface Connections {
  /** One for each slot; undefined: nothing feeds it. */
  inputsOf(task: Task): readonly (Channel | undefined)[];
  /** By output port. */
  outputsOf(task: Task): ReadonlyMap<string, readonly Channel[]>;
}

export class Wiring {
  /** Of the target of the last mutation. */
  #channels: readonly { readonly place: ChannelPlace; readonly channel: Channel }[] = [];

  get places(): readonly ChannelPlace[] {
    return this.#channels.map(({ place }) => place);
  }

  /** Makes the channels of the next graph. Those that are kept stay the same objects. */
  make(planned: MutationPlan['channels'], tasks: ReadonlyMap<string, Task>, onPush: () => void): Connections {
    const former = new Map(this.#channels.map(({ place, channel }) => [placeKey(place), channel]));
    this.#channels = planned.map(({ isKept, ...place }) => {
      const channel = isKept ? former.get(placeKey(place)) : newChannel(place, tasks, onPush);
      invariant(channel, 'a channel that is kept was there before');
      return { place, channel };
    });
    const byReader = Map.groupBy(this.#channels, ({ place }) => place.to);
    const byWriter = Map.groupBy(this.#channels, ({ place }) => place.from);
    for (const id of [...byReader.keys(), ...byWriter.keys()])
      invariant(tasks.has(id), 'both ends of a channel are tasks of the graph');
    return {
      inputsOf({ id, gate }) {
        const inputs = new Array<Channel | undefined>(gate.slots.length).fill(undefined);
        for (const { place, channel } of byReader.get(id) ?? []) inputs[place.slot] = channel;
        return inputs;
      },
      outputsOf({ id }) {
        const ports = Map.groupBy(byWriter.get(id) ?? [], ({ place }) => place.port);
        return new Map([...ports].map(([port, members]) => [port, members.map(({ channel }) => channel)]));
      },
    };
  }
}
function newChannel({ from, port, to }: ChannelPlace, tasks: ReadonlyMap<string, Task>, onPush: () => void): Channel {
  const channel = new Channel(to, `${from}.${port}`);
  const last = tasks.get(from)?.chain.nodes.at(-1);
  channel.isTested = port === 'out' && last !== undefined && kinds[last.kind].emitsTested === true;
  channel.onPush = onPush;
  return channel;
}

/** Over which channels these tasks hear each other now. */
export function attachmentsOf(tasks: ReadonlyMap<string, Task>): RunningGraph['attached'] {
  const writers = new Map<Channel, string>();
  for (const task of tasks.values()) for (const channel of task.output.channels()) writers.set(channel, task.id);
  return [...tasks.values()].flatMap((reader) =>
    reader.gate.slots.flatMap(({ channel }, slot) => {
      const from = channel && writers.get(channel);
      return from === undefined ? [] : [{ from, to: reader.id, slot }];
    }),
  );
}

/** What each kept task does at the barrier, where its channels change. */
export function flipsOf(
  { newInputs, newOutputs }: MutationPlan,
  tasks: ReadonlyMap<string, Task>,
  connections: Connections,
): Map<Task, Flip> {
  const flips = new Map<Task, Flip>();
  for (const [id, task] of tasks) {
    if (!newInputs.has(id) && !newOutputs.has(id)) continue;
    flips.set(task, {
      ...(newInputs.has(id) && { inputs: connections.inputsOf(task) }),
      ...(newOutputs.has(id) && { outputs: connections.outputsOf(task) }),
    });
  }
  return flips;
}

/** A barrier reaches this task over a channel. Otherwise the runtime gives it the barrier. */
export function hearsBarriers(task: Task): boolean {
  return task.gate.slots.some((slot) => slot.channel && !slot.channel.closed);
}

/**
 * Gives a task its new outputs at a barrier. A new channel first carries the barrier, then the rows
 * of a table for a reader that starts empty, then the watermark, idleness and the end.
 */
export function connectOutputs(
  task: Task,
  outputs: ReadonlyMap<string, readonly Channel[]>,
  flight: BarrierInFlight,
  contentOf: () => readonly Batch[],
): void {
  const { joinedAt, barrier } = flight;
  const before = new Set(task.output.channels());
  task.output.connect(outputs);
  for (const channel of task.output.channels()) {
    if (before.has(channel)) continue;
    channel.pushMark(barrier);
    // The rows are there already, whole. The channel holds references, and its writer has no room
    // until they are taken.
    if (flight.startsEmpty(channel.reader)) for (const batch of contentOf()) channel.pushBatch(batch);
    const time = task.output.lastWatermark;
    if (time > -Infinity) {
      channel.pushMark({ kind: 'watermark', time });
      joinedAt[channel.reader] = Math.max(joinedAt[channel.reader] ?? -Infinity, time);
    }
    if (task.output.isIdle) channel.pushMark({ kind: 'idle' });
    if (task.status === 'ended') channel.pushMark({ kind: 'end' });
  }
}

/**
 * A writer went at once, without a last barrier. Its readers keep their slots without a channel:
 * their time stands still, and nothing fires. Returns the readers that lost a channel.
 */
export function cutReaders(outputs: ReadonlySet<Channel>, readers: Iterable<Task>): Task[] {
  return [...readers].filter((reader) => {
    let isCut = false;
    for (const slot of reader.gate.slots) {
      if (!slot.channel || !outputs.has(slot.channel)) continue;
      slot.channel.close();
      slot.channel = undefined;
      isCut = true;
    }
    return isCut;
  });
}
