// The runtime: the tasks of one executor, the turns they get, and the barriers that change them.
//
// One round gives every task with work a turn, readers before writers, so that what is in flight drains before more is let in. A barrier is the
// only way a snapshot is taken and the only way the graph changes: `mutate` plans the new tasks and edges at once, and each task flips its own
// part when the barrier reaches it (`onBarrier`). Epochs number the barriers; every task passes every epoch exactly once, in order.
//
// This file is one thing: the runtime's state and the three things done to it (rounds, barriers, mutations).
import { createSource, type SourceOptions } from '../connectors/registry.ts';
import { createSink } from '../connectors/sinks.ts';
import { MicroBatchLog } from '../connectors/micro-batch-log.ts';
import { SourceStarts } from '../connectors/source-starts.ts';
import { type Chain, chainsOf } from '../graph/chains.ts';
import { loopsOf, type PlannedLoop } from '../graph/loops.ts';
import type { FunctionTable, MicroBatchMode, Plan, PlanNode } from '../graph/plan.ts';
import { isSource, kinds } from '../graph/kinds.ts';
import { above } from '../graph/walk.ts';
import { IterateHeadOperator } from '../operators/iterate-head.ts';
import { IterateTailOperator } from '../operators/iterate-tail.ts';
import { Loop } from '../operators/loop.ts';
import type { Operator } from '../contract/operator.ts';
import { createOperator, stageOf } from './operator-registry.ts';
import type { Source } from '../contract/source.ts';
import { type Clock, wallClock } from '../contract/clock.ts';
import { AlignmentGroups } from '../time/watermark-alignment.ts';
import { type Barrier, Channel } from './channel.ts';
import { MicroBatches } from './micro-batches.ts';
import type { TaskSnapshot } from './snapshot.ts';
import { contentOf } from './table-lookup.ts';
import { Task, type TaskFailure, type TaskHost } from './task.ts';

export interface RuntimeOptions {
  readonly functions: FunctionTable;
  readonly clock?: Clock;
  /** Test kit: freeze elements and state. */
  readonly freeze?: boolean;
  /** Operators and sources of the host, by kind: displays, pulls, inputs of a test. */
  readonly host?: (node: PlanNode) => Operator | Source | undefined;
  readonly sources?: SourceOptions;
  readonly onFailure?: (failure: TaskFailure & { readonly uid: string }) => void;
  /** A task has ended (its inputs are exhausted, or it wants no more). */
  readonly onEnded?: (id: string) => void;
  /** A task begins a turn; undefined: it has ended. For who wants to know, from another thread, who does not return. */
  readonly onTurn?: (task: Task | undefined) => void;
  /** There may be something to do: call `round` soon. The driver sets it. */
  readonly onWork?: () => void;
}
export interface MutateOptions {
  /** New instance → the former instance whose state it takes over. */
  readonly handover?: Readonly<Record<string, string>>;
  /** Instances that must become new tasks even where nothing changed (they failed, or are to start again). */
  readonly fresh?: ReadonlySet<string>;
  /** State of new instances, from an earlier life (restore). */
  readonly restore?: ReadonlyMap<string, TaskSnapshot>;
  readonly snapshot?: false | 'changes' | 'full';
}
export interface MutationResult {
  readonly epoch: number;
  /** Where each source stood when the barrier entered: source instance → position. */
  readonly positions: Readonly<Record<string, string>>;
  /** Tasks that were made; all others are the same objects as before. */
  readonly created: readonly string[];
  /** New reader of a running task → the watermark at which it came: it has not seen what was before. */
  readonly joinedAt: Readonly<Record<string, number>>;
}
export interface Snapshot {
  readonly epoch: number;
  /** Time of this thread that writing it took. */
  readonly millis: number;
  readonly tasks: ReadonlyMap<string, TaskSnapshot>;
}

/** What one task does at the barrier of a mutation. */
interface Flip {
  readonly outputs?: ReadonlyMap<string, readonly Channel[]>;
  readonly inputs?: readonly (Channel | undefined)[];
  /** It goes away; `heir` takes its state. */
  readonly removed?: { readonly heir?: Task };
}
interface BarrierInFlight {
  readonly barrier: Barrier;
  readonly flips: Map<Task, Flip>;
  /** Tasks that have to pass before the mutation is done. */
  readonly changing: Set<Task>;
  /** Tasks that have not passed. */
  readonly passing: Set<Task>;
  /** Those of them that have to before the snapshot is complete. */
  readonly awaited: Set<Task>;
  readonly enteredAt: number;
  readonly snapshots: Map<string, TaskSnapshot>;
  readonly spent: { millis: number };
  readonly restore: ReadonlyMap<string, TaskSnapshot>;
  readonly positions: Record<string, string>;
  readonly created: readonly string[];
  readonly joinedAt: Record<string, number>;
  /** Heirs that are aligned but wait for the state. */
  readonly waiting: Map<Task, Barrier>;
  readonly heirs: Set<Task>;
  readonly states: Map<Task, TaskSnapshot>;
  readonly onMutated?: (result: MutationResult) => void;
  readonly onSnapshot?: (snapshot: Snapshot) => void;
}

export class Runtime implements TaskHost {
  readonly clock: Clock;
  readonly freeze: boolean;
  /** The graph as of the last mutation asked for. */
  plan: Plan = { version: 1, nodes: [], edges: [] };
  readonly #options: RuntimeOptions;
  /** Readers of one source that come later share its start. */
  readonly #sources: SourceOptions;
  /** Live tasks by instance id of their head: the target of the last mutation. */
  #tasks = new Map<string, Task>();
  /** Tasks that are going away but have not passed their last barrier. */
  readonly #leaving = new Set<Task>();
  /** Turn order: readers before writers. */
  #order: Task[] = [];
  /** Edge (from chain, port, to chain, slot index) → channel, of the target graph. */
  #channels = new Map<string, Channel>();
  readonly #inFlight = new Map<number, BarrierInFlight>();
  #epoch = 0;
  #closed = false;
  #busyMillis = 0;
  /** undefined: continuous. */
  batches: MicroBatches | undefined;
  readonly #batchLog = new MicroBatchLog();
  /** Head of an iteration → what comes back to it. */
  readonly #loops = new Map<string, Loop>();
  #plannedLoops: readonly PlannedLoop[] = [];

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#sources = {
      starts: new SourceStarts(),
      alignment: new AlignmentGroups(),
      batches: this.#batchLog,
      ...options.sources,
    };
    this.clock = options.clock ?? wallClock;
    this.freeze = options.freeze ?? false;
  }

  // ------------------------------------------------------------------------------------------------ rounds

  /** One turn for every task that has work. False: nothing happened, wait for `onWork` or until `nextTick`. */
  round(until = Infinity): boolean {
    let happened = false;
    for (const task of this.#order) {
      let now = performance.now();
      if (!task.hasWork(this.clock.now())) {
        task.accounting.enter(task.restingState, now);
        continue;
      }
      task.inRate.sample(task.recordsIn, now);
      task.outRate.sample(task.output.recordsOut, now);
      task.accounting.enter('busy', now);
      this.#options.onTurn?.(task);
      const progressed = task.turn(now);
      this.#options.onTurn?.(undefined);
      const after = performance.now();
      if (progressed) this.#busyMillis += after - now;
      now = after;
      task.accounting.enter(task.hasWork(this.clock.now()) && !task.waitsForRoom ? 'ready' : task.restingState, now);
      happened ||= progressed;
      if (now >= until) break;
    }
    for (const loop of this.#loops.values()) happened = loop.check() || happened;
    return this.#stepBatch(happened) || happened;
  }
  #stepBatch(happened: boolean): boolean {
    if (!this.batches) return false;
    const now = this.clock.now();
    const isQuiet =
      !happened &&
      this.#order.every((task) => task.isSource || !(task.isInsideCall || task.hasWork(now) || task.inFlight > 0));
    return this.batches.step(
      this.#order.filter((task) => task.isRead),
      isQuiet,
    );
  }
  /** Earliest time at which a task wants a tick, by the runtime's clock. */
  get nextTick(): number {
    let next = this.batches?.nextAt ?? Infinity;
    // One without room is woken by the room, not by its time.
    for (const task of this.#order)
      if (task.status === 'running' && task.tickAt < next && !task.waitsForRoom) next = task.tickAt;
    return next;
  }
  /** Milliseconds of work since the last call: the thread's own load. */
  takeBusyMillis(): number {
    const spent = this.#busyMillis;
    this.#busyMillis = 0;
    return spent;
  }
  get tasks(): ReadonlyMap<string, Task> {
    return this.#tasks;
  }
  get epoch(): number {
    return this.#epoch;
  }
  /** Some task still has to come to its last barrier. */
  get hasLeaving(): boolean {
    return this.#leaving.size > 0;
  }
  /** Barriers that some task has not passed yet. */
  get barriersInFlight(): number {
    return this.#inFlight.size;
  }
  get snapshotsInFlight(): number {
    return [...this.#inFlight.values()].filter(({ onSnapshot }) => onSnapshot).length;
  }
  /** How long the oldest barrier has been under way. */
  get oldestBarrierMillis(): number {
    const [oldest] = this.#inFlight.values();
    return oldest ? performance.now() - oldest.enteredAt : 0;
  }
  /** What the oldest snapshot in flight waits for, and for how long: the tasks that its barrier does not get through, or what these wait for. */
  waitsFor(): { readonly tasks: readonly Task[]; readonly millis: number } | undefined {
    const oldest = [...this.#inFlight.values()].find(({ onSnapshot }) => onSnapshot);
    if (!oldest) return undefined;
    const { awaited, enteredAt } = oldest;
    const ahead = new Set([...awaited].flatMap((task) => task.output.channels()));
    const reached = [...awaited].filter((task) =>
      task.gate.slots.every(({ channel }) => !channel || !ahead.has(channel)),
    );
    const culprits = (task: Task): readonly Task[] => {
      if (!task.waitsForRoom) return [task];
      const full = new Set(task.output.channels().filter(({ room }) => room <= 0));
      const slow = this.#order.filter((reader) =>
        reader.gate.slots.some(({ channel }) => channel && full.has(channel)),
      );
      return slow.flatMap(culprits);
    };
    return { tasks: [...new Set(reached.flatMap(culprits))], millis: performance.now() - enteredAt };
  }

  // ------------------------------------------------------------------------------------------------ barriers

  /** Enters a barrier that only snapshots. `onSnapshot` when every task has passed it. */
  snapshot(onSnapshot: (snapshot: Snapshot) => void, extent: 'changes' | 'full' = 'changes'): number {
    return this.#enter(
      {
        snapshot: extent,
        flips: new Map(),
        created: [],
        changing: new Set(),
        heirs: new Set(),
        restore: new Map(),
        onSnapshot,
      },
      [...this.#tasks.values()],
    );
  }

  #enter(
    what: Pick<BarrierInFlight, 'flips' | 'created' | 'changing' | 'heirs' | 'restore' | 'onMutated' | 'onSnapshot'> & {
      snapshot: false | 'changes' | 'full';
    },
    existing: readonly Task[],
  ): number {
    const barrier: Barrier = { kind: 'barrier', epoch: ++this.#epoch, snapshot: what.snapshot };
    const passing = new Set([...this.#tasks.values(), ...existing]);
    this.#inFlight.set(barrier.epoch, {
      ...what,
      barrier,
      passing,
      awaited: this.#withoutPulled(passing),
      enteredAt: performance.now(),
      snapshots: new Map(),
      spent: { millis: 0 },
      positions: {},
      joinedAt: {},
      waiting: new Map(),
      states: new Map(),
    });
    for (const task of passing) {
      if (!task.gate.attached || !this.#willHear(task)) task.inject(barrier);
      task.hurry();
    }
    this.#settle(barrier.epoch);
    this.#options.onWork?.();
    return barrier.epoch;
  }
  /** What only pulls read is in no snapshot's way: a pull does not outlive its executor, and its reader may take its time. */
  #withoutPulled(tasks: ReadonlySet<Task>): Set<Task> {
    const read = new Set(this.plan.edges.map((edge) => edge.from));
    const leaves = this.plan.nodes.filter(({ id, kind }) => !kinds[kind].isReadByCell && !read.has(id));
    const awaited = above(
      this.plan.edges,
      leaves.map(({ id }) => id),
    );
    const isInPlan = (task: Task): boolean => this.#tasks.get(task.id) === task;
    return new Set([...tasks].filter((task) => !isInPlan(task) || task.chain.nodes.some(({ id }) => awaited.has(id))));
  }
  /** A barrier reaches this task over a channel (of the graph it is in now, or of the one it is created into). */
  #willHear(task: Task): boolean {
    return task.gate.slots.some((slot) => slot.channel && !slot.channel.closed);
  }

  onBarrier(task: Task, barrier: Barrier): void {
    const flight = this.#inFlight.get(barrier.epoch);
    if (!flight) {
      task.passed(barrier.epoch);
      return;
    }
    if (task.status === 'created') {
      if (flight.heirs.has(task) && !flight.states.has(task)) {
        flight.waiting.set(task, barrier);
        return;
      }
      task.restore(flight.states.get(task) ?? flight.restore.get(task.id));
    }
    const restored = flight.restore.get(task.id) ?? flight.states.get(task);
    const flip = flight.flips.get(task);
    if (barrier.snapshot && !flip?.removed) {
      const began = performance.now();
      flight.snapshots.set(task.id, task.snapshot(barrier.snapshot === 'full'));
      flight.spent.millis += performance.now() - began;
    }
    if (task.isSource) flight.positions[task.id] = task.source!.position();
    const heir = flip?.removed?.heir;
    if (heir) this.#inherit(flight, heir, task.snapshot(true));
    task.output.mark(barrier);
    // Said again, so that readers whose gates are new know the time before the first record.
    if (restored && task.status === 'running') task.output.watermark(restored.watermark);
    if (flip?.outputs) this.#connectOutputs(task, flip.outputs, barrier, flight);
    task.passed(barrier.epoch, flip?.inputs);
    if (flip?.removed) this.#drop(task, 'passed');
    else this.#hearNext(task);
    flight.changing.delete(task);
    flight.passing.delete(task);
    flight.awaited.delete(task);
    this.#settle(barrier.epoch);
  }

  #inherit(flight: BarrierInFlight, heir: Task, state: TaskSnapshot): void {
    flight.states.set(heir, state);
    const barrier = flight.waiting.get(heir);
    if (!barrier) return;
    flight.waiting.delete(heir);
    this.onBarrier(heir, barrier);
  }

  /** A new channel first carries this barrier, then what its reader must know of the time before: the rows of a table, when the reader starts with nothing, and the watermark. */
  #connectOutputs(
    task: Task,
    outputs: ReadonlyMap<string, readonly Channel[]>,
    barrier: Barrier,
    { joinedAt, created, heirs }: Pick<BarrierInFlight, 'joinedAt' | 'created' | 'heirs'>,
  ): void {
    const inherits = new Set([...heirs].map(({ id }) => id));
    const before = new Set(task.output.channels());
    task.output.connect(outputs);
    for (const channel of task.output.channels()) {
      if (before.has(channel)) continue;
      channel.pushMark(barrier);
      if (created.includes(channel.reader) && !inherits.has(channel.reader)) this.#tellContent(task, channel);
      const time = task.output.lastWatermark;
      if (time > -Infinity) {
        channel.pushMark({ kind: 'watermark', time });
        joinedAt[channel.reader] = Math.max(joinedAt[channel.reader] ?? -Infinity, time);
      }
      if (task.output.isIdle) channel.pushMark({ kind: 'idle' });
      if (task.status === 'ended') channel.pushMark({ kind: 'end' });
    }
  }

  /** What a reader of a table has missed. It is there already, whole: the channel holds references, and its reader's credit stands still until it has taken them. */
  #tellContent(task: Task, channel: Channel): void {
    if (task.status !== 'running' && task.status !== 'ended') return;
    const node = task.chain.nodes.at(-1)!.id;
    try {
      for (const batch of contentOf(this, this.#options.functions, node)) channel.pushBatch(batch);
    } catch (error) {
      // A map or a filter of the user's between the rows and here.
      this.onFailure(task, { node, error });
    }
  }

  #settle(epoch: number): void {
    const flight = this.#inFlight.get(epoch);
    if (!flight) return;
    if (flight.changing.size === 0 && flight.onMutated) {
      const { onMutated } = flight;
      this.#inFlight.set(epoch, { ...flight, onMutated: undefined });
      const { positions, created, joinedAt } = flight;
      for (const heir of flight.heirs) delete joinedAt[heir.id];
      onMutated({ epoch, positions, created, joinedAt });
      this.#settle(epoch);
      return;
    }
    if (flight.awaited.size === 0 && flight.onSnapshot) {
      const { onSnapshot, snapshots, spent } = flight;
      this.#inFlight.set(epoch, { ...flight, snapshots: new Map(), onSnapshot: undefined });
      onSnapshot({ epoch, tasks: snapshots, millis: spent.millis });
      this.#settle(epoch);
      return;
    }
    if (flight.passing.size === 0) this.#inFlight.delete(epoch);
  }

  // ------------------------------------------------------------------------------------------------ mutations

  /**
   * Changes the graph to `plan` at one barrier. Tasks whose chain is the same stay the same objects and keep everything; the others are made, with the
   * state of their predecessors where `handover` says so. `onMutated` when the barrier has passed every task that changes.
   */
  mutate(
    plan: Plan,
    options: MutateOptions,
    onMutated?: (result: MutationResult) => void,
    onSnapshot?: (snapshot: Snapshot) => void,
  ): number {
    const former = this.#tasks;
    const chains = chainsOf(plan);
    this.#plannedLoops = loopsOf(plan);
    const target = new Map<string, Task>();
    const created: Task[] = [];
    for (const chain of chains) {
      const kept = former.get(chain.id);
      if (kept && kept.chain.signature === chain.signature && !options.fresh?.has(chain.id)) {
        kept.chain = chain;
        target.set(chain.id, kept);
      } else {
        const task = this.#create(chain);
        target.set(chain.id, task);
        created.push(task);
      }
    }
    this.#wakeDormant(chains, target, created);
    const removed = [...former.values()].filter((task) => target.get(task.id) !== task);
    const heirOf = new Map<Task, Task>();
    for (const [heirId, formerId] of Object.entries(options.handover ?? {})) {
      const heir = target.get(heirId);
      const from = former.get(formerId);
      if (heir && from && created.includes(heir) && removed.includes(from)) heirOf.set(from, heir);
    }

    // A chain that was cut or joined elsewhere is another task, but its head is the same operator: the state goes along.
    for (const heir of created) {
      const from = former.get(heir.id);
      if (from && removed.includes(from) && !heirOf.has(from) && !options.fresh?.has(heir.id) && sameHead(heir, from))
        heirOf.set(from, heir);
    }

    const { channels, inputsOf, outputsOf } = this.#wire(chains, target, new Set(created));
    const flips = new Map<Task, Flip>();
    const changing = new Set<Task>(created);
    for (const [id, task] of target) {
      if (created.includes(task)) {
        task.output.connect(outputsOf.get(id) ?? new Map());
        task.gate.passed(this.#epoch, inputsOf.get(id));
        continue;
      }
      const inputs = inputsOf.get(id)!;
      const outputs = outputsOf.get(id) ?? new Map<string, readonly Channel[]>();
      const inputsChange = task.gate.slots.some(
        (slot, index) => this.#targetInput(task, index, slot.channel) !== inputs[index],
      );
      const outputsChange = !sameChannels(this.#targetOutputs(task), outputs);
      if (!inputsChange && !outputsChange) continue;
      flips.set(task, { ...(inputsChange && { inputs }), ...(outputsChange && { outputs }) });
      changing.add(task);
    }

    // What a kept task still has to hear from a task that goes away is drained first; everything else that goes away goes at once.
    const keptReaders = new Set<Task>();
    for (const task of removed) if (this.#mustDrain(task, removed, target, heirOf)) keptReaders.add(task);
    for (const task of removed) {
      if (keptReaders.has(task)) {
        flips.set(task, { removed: { ...(heirOf.has(task) && { heir: heirOf.get(task)! }) } });
        changing.add(task);
        this.#leaving.add(task);
      } else this.#drop(task, 'cut');
    }

    this.plan = plan;
    this.#setMode(plan.mode);
    this.#tasks = target;
    this.#setLoops(chains);
    this.#channels = channels;
    this.#order = turnOrder(chains, target, this.#leaving);
    const epoch = this.#enter(
      {
        snapshot: options.snapshot ?? false,
        flips,
        created: created.map((task) => task.id),
        changing,
        heirs: new Set(heirOf.values()),
        restore: options.restore ?? new Map(),
        ...(onMutated && { onMutated }),
        ...(onSnapshot && { onSnapshot }),
      },
      [...keptReaders],
    );
    // A barrier that waited only for what was cut off has passed.
    for (const earlier of [...this.#inFlight.keys()]) this.#settle(earlier);
    return epoch;
  }

  #setLoops(chains: readonly Chain[]): void {
    const heads = new Map(this.#plannedLoops.map((loop) => [loop.head, loop]));
    for (const [id, loop] of this.#loops) {
      const planned = heads.get(id);
      if (!planned) {
        this.#loops.delete(id);
        continue;
      }
      const body = chains
        .filter(({ nodes }) => planned.body.has(nodes[0]!.id))
        .map((chain) => this.#tasks.get(chain.id)!);
      const head = this.#tasks.get(id)!;
      loop.isQuiet = () => !head.output.hasUnsent && body.every((task) => task.isQuiet);
    }
  }
  #setMode(mode: MicroBatchMode | undefined): void {
    if (this.batches?.intervalMillis === mode?.microBatchMillis) return;
    // What a batch at work has held back is said by the sources themselves once nobody holds it.
    for (const task of this.#tasks.values()) task.output.holdsTime = false;
    this.batches = mode && new MicroBatches(mode, this.clock, this.#batchLog);
  }

  /** A task whose readers had all gone has closed its inputs; when somebody comes to read it, it starts anew, and so do those above it. */
  #wakeDormant(chains: readonly Chain[], target: Map<string, Task>, created: Task[]): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const chain of chains) {
        if (!created.includes(target.get(chain.id)!)) continue;
        for (const edge of chain.inputs) {
          const above = target.get(edge.from);
          if (!above?.dormant || created.includes(above)) continue;
          const again = this.#create(above.chain);
          target.set(edge.from, again);
          created.push(again);
          changed = true;
        }
      }
    }
  }

  /** Cuts off tasks that leave but do not come to an end of their present call (an endless generator in flatMap). */
  cutLeaving(): readonly string[] {
    const cut = [...this.#leaving].filter((task) => task.isInsideCall);
    for (const task of cut) {
      for (const flight of this.#inFlight.values()) {
        const heir = flight.flips.get(task)?.removed?.heir;
        flight.flips.delete(task);
        flight.changing.delete(task);
        flight.passing.delete(task);
        flight.awaited.delete(task);
        // Its state cannot be had in the middle of a call: the heir starts without.
        if (heir) this.#inherit(flight, heir, { full: true, groups: new Map(), watermark: task.output.lastWatermark });
        // Its readers hear the barrier after all, so that they can flip.
        task.output.mark(flight.barrier);
      }
      this.#drop(task, 'passed');
      for (const epoch of [...this.#inFlight.keys()]) this.#settle(epoch);
    }
    this.#options.onWork?.();
    return cut.map((task) => task.id);
  }

  /** Channels of the target graph: an edge between two kept tasks keeps its channel. */
  #wire(chains: readonly Chain[], target: ReadonlyMap<string, Task>, created: ReadonlySet<Task>) {
    const channels = new Map<string, Channel>();
    const inputsOf = new Map<string, (Channel | undefined)[]>();
    const outputsOf = new Map<string, Map<string, Channel[]>>();
    for (const chain of chains) {
      const reader = target.get(chain.id)!;
      const inputs = chain.inputs.map((edge, index) => {
        const writer = target.get(edge.from);
        if (!writer) return undefined;
        const name = JSON.stringify([edge.from, edge.port, chain.id, index]);
        const isKept = !created.has(reader) && !created.has(writer);
        const channel = (isKept ? this.#channels.get(name) : undefined) ?? this.#newChannel(reader);
        channels.set(name, channel);
        const ports = outputsOf.get(edge.from) ?? new Map<string, Channel[]>();
        outputsOf.set(edge.from, ports);
        ports.set(edge.port, [...(ports.get(edge.port) ?? []), channel]);
        return channel;
      });
      inputsOf.set(chain.id, inputs);
    }
    return { channels, inputsOf, outputsOf };
  }
  #newChannel(reader: Task): Channel {
    const channel = new Channel(reader.id);
    channel.onPush = () => this.wake(reader);
    return channel;
  }

  /** The input a kept task will have once all mutations in flight have passed. */
  #targetInput(task: Task, index: number, now: Channel | undefined): Channel | undefined {
    let channel = now;
    for (const flight of this.#inFlight.values()) {
      const inputs = flight.flips.get(task)?.inputs;
      if (inputs) channel = inputs[index];
    }
    return channel;
  }
  #targetOutputs(task: Task): ReadonlyMap<string, readonly Channel[]> {
    let outputs = task.output.channelsByPort();
    for (const flight of this.#inFlight.values()) outputs = flight.flips.get(task)?.outputs ?? outputs;
    return outputs;
  }

  /** Somebody who stays reads it (and another instance takes its place there), or its state is taken over. */
  #mustDrain(
    task: Task,
    removed: readonly Task[],
    target: ReadonlyMap<string, Task>,
    heirOf: ReadonlyMap<Task, Task>,
  ): boolean {
    if (task.status === 'closed') return false;
    if (heirOf.has(task)) return true;
    const seen = new Set<Task>();
    const reachesKept = (one: Task): boolean => {
      if (seen.has(one)) return false;
      seen.add(one);
      const mine = new Set(one.output.channels());
      for (const reader of target.values())
        for (const [index, slot] of reader.gate.slots.entries()) {
          if (!slot.channel || !mine.has(slot.channel)) continue;
          // A slot that nothing will feed any more is cut off at once.
          const edge = reader.chain.inputs[index]!;
          if (target.has(edge.from)) return true;
        }
      return removed.some(
        (other) =>
          (heirOf.has(other) || reachesKept(other)) &&
          other.gate.slots.some((slot) => slot.channel && mine.has(slot.channel)),
      );
    };
    return reachesKept(task);
  }

  /**
   * `passed`: its last barrier is on its outputs, readers flip by themselves. `cut`: it goes in the middle of things; readers that stay keep the slot without a
   * channel: their time stands still, nothing fires.
   */
  #drop(task: Task, how: 'passed' | 'cut'): void {
    this.#leaving.delete(task);
    this.#order = this.#order.filter((other) => other !== task);
    const outputs = new Set(task.output.channels());
    task.close();
    if (how === 'passed') return;
    for (const flight of this.#inFlight.values()) {
      flight.flips.delete(task);
      flight.changing.delete(task);
      flight.passing.delete(task);
      flight.awaited.delete(task);
      flight.waiting.delete(task);
      for (const [reader, flip] of flight.flips)
        if (flip.inputs?.some((channel) => channel && outputs.has(channel)))
          flight.flips.set(reader, {
            ...flip,
            inputs: flip.inputs.map((channel) => (channel && outputs.has(channel) ? undefined : channel)),
          });
    }
    for (const reader of this.#tasks.values()) {
      let cut = false;
      for (const slot of reader.gate.slots) {
        if (!slot.channel || !outputs.has(slot.channel)) continue;
        slot.channel.close();
        slot.channel = undefined;
        cut = true;
      }
      if (cut) this.#hearNext(reader);
    }
  }
  /** Barriers reach a task over its channels; one that has none left hears those still to come from the runtime. */
  #hearNext(task: Task): void {
    if (this.#willHear(task)) {
      task.forgetInjected();
      return;
    }
    for (const [epoch, flight] of this.#inFlight)
      if (epoch > task.gate.epoch && flight.passing.has(task)) task.inject(flight.barrier);
  }

  #create(chain: Chain): Task {
    const [head, ...behind] = chain.nodes as [PlanNode, ...PlanNode[]];
    const { functions } = this.#options;
    const stages = behind.map((node) => stageOf(node, functions)!);
    const hosted = this.#options.host?.(head);
    const own = hosted ? undefined : stageOf(head, functions);
    if (own) return new Task(chain, { stages: [own, ...stages] }, stages, this, this.#epoch);
    if (hosted && 'poll' in hosted) return new Task(chain, { source: hosted }, stages, this, this.#epoch);
    if (isSource(head) && !hosted)
      return new Task(chain, { source: createSource(head, functions, this.#sources) }, stages, this, this.#epoch);
    if (head.kind === 'iterateHead') {
      const loop = new Loop();
      this.#loops.set(head.id, loop);
      return new Task(chain, { operator: new IterateHeadOperator(head, loop) }, stages, this, this.#epoch);
    }
    if (head.kind === 'iterateTail') {
      const headId = this.#plannedLoops.find(({ tail }) => tail === head.id)?.head;
      // Its body has lost the head, in an edit: nothing comes back.
      const loopOf = (): Loop => (headId === undefined ? undefined : this.#loops.get(headId)) ?? new Loop();
      return new Task(chain, { operator: new IterateTailOperator(loopOf) }, stages, this, this.#epoch);
    }
    const keys = ([0, 1] as const).map((input) => chain.inputs.find((edge) => edge.input === input)?.key);
    return new Task(
      chain,
      { operator: hosted ?? createSink(head, functions) ?? createOperator(head, functions, keys) },
      stages,
      this,
      this.#epoch,
    );
  }

  // ------------------------------------------------------------------------------------------------ what tasks tell

  wake(_task: Task): void {
    this.#options.onWork?.();
  }
  wakeAt(_task: Task, _millis: number): void {
    this.#options.onWork?.();
  }
  onFailure(task: Task, failure: TaskFailure): void {
    const uid = task.chain.nodes.find((node) => node.id === failure.node)?.uid ?? failure.node;
    this.#options.onFailure?.({ ...failure, uid });
    this.#options.onWork?.();
  }
  isChanging(task: Task): boolean {
    for (const flight of this.#inFlight.values())
      if (flight.passing.has(task) && flight.flips.get(task)?.outputs) return true;
    return false;
  }
  barrierWaits(task: Task): boolean {
    for (const flight of this.#inFlight.values()) if (flight.passing.has(task)) return true;
    return false;
  }
  onEnded(task: Task): void {
    // It has closed its inputs: a barrier that was on its way over them is lost there.
    if (task.dormant) this.#hearNext(task);
    this.#options.onEnded?.(task.id);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const task of [...this.#tasks.values(), ...this.#leaving]) task.close();
    this.#order = [];
    this.#tasks = new Map();
  }
}

function sameHead(a: Task, b: Task): boolean {
  const [left, right] = [a.chain.nodes[0]!, b.chain.nodes[0]!];
  const keys = (task: Task): string => JSON.stringify(task.chain.inputs.map((edge) => edge.key ?? null));
  return left.id === right.id && left.own === right.own && keys(a) === keys(b) && !b.dormant;
}

function sameChannels(a: ReadonlyMap<string, readonly Channel[]>, b: ReadonlyMap<string, readonly Channel[]>): boolean {
  const ports = new Set([...a.keys(), ...b.keys()]);
  for (const port of ports) {
    const left = a.get(port) ?? [];
    const right = b.get(port) ?? [];
    if (left.length !== right.length || left.some((channel, index) => channel !== right[index])) return false;
  }
  return true;
}

/** Readers before writers; tasks on their way out first, they only drain. */
function turnOrder(chains: readonly Chain[], tasks: ReadonlyMap<string, Task>, leaving: ReadonlySet<Task>): Task[] {
  const order: Task[] = [];
  const seen = new Set<string>();
  const byId = new Map(chains.map((chain) => [chain.id, chain]));
  const visit = (chain: Chain): void => {
    if (seen.has(chain.id)) return;
    seen.add(chain.id);
    for (const edge of chain.inputs) {
      const above = byId.get(edge.from);
      if (above) visit(above);
    }
    order.push(tasks.get(chain.id)!);
  };
  for (const chain of chains) visit(chain);
  return [...leaving, ...order.reverse()];
}
