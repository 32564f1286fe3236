// The harness: the test drives a chain of operators on the real runtime. The clock moves only when
// the test moves it.
import { Builder } from '../api/builder.ts';
import { checkSessionOptions } from '../api/session.ts';
import { inputStream, originOf } from '../api/harness-input.ts';
import type { Stream } from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import type { Endpoint } from '../api/fragment.ts';
import type { Operator } from '../contract/operator.ts';
import type { Plan, PlanEdge, PlanNode } from '../graph/plan.ts';
import { chainsOf } from '../graph/chains.ts';
import { planOf } from '../runtime/environment.ts';
import type { Snapshot } from '../runtime/barriers.ts';
import { Runtime } from '../runtime/runtime.ts';
import type { TaskSnapshot } from '../runtime/snapshot.ts';
import { segmentValue, valueSegment } from '../state/segment.ts';
import type { TaskFailure } from '../runtime/task-failure.ts';
import { ManualClock } from '../contract/clock.ts';
import { maxTimestamp } from '../time/event-time.ts';
import { deepFreeze } from '../state/freeze.ts';
import { described } from '../values/kind.ts';
import { HandInput, HandOutput, type Said } from './hand-operators.ts';
import { type Share, shareOf, sharedOperators, sharingOperator } from './key-share.ts';
import type { Harness, HarnessOptions, OneInputHarness, Output, TwoInputHarness } from './surface.ts';

/**
 * The methods that only the script kit uses, to try other schedules. They are not in the contract.
 */
export interface DrivenHarness<R> extends Harness<R> {
  /**
   * Blocks downstream until it is released. Emitted records wait in bounded channels that hold one
   * record each, so every call that emits is interrupted and repeated. After the release, the
   * records arrive one by one.
   */
  blockDownstream(blocked: boolean): void;
  /** While `held`, all inputs wait. They are released together. */
  hold(held: boolean): void;
  /** Another harness may process half of the keys. */
  readonly isShareable: boolean;
}

class Driven<R> implements DrivenHarness<R>, OneInputHarness<unknown, R>, TwoInputHarness<unknown, unknown, R> {
  readonly #clock = new ManualClock();
  readonly #runtime: Runtime;
  readonly #inputs: readonly HandInput[];
  readonly #output = new HandOutput<R>();
  readonly #late = new HandOutput<unknown>();
  readonly #timedOut = new HandOutput<unknown>();
  #failure: TaskFailure | undefined;
  #isNarrow = false;
  #isHeld = false;
  readonly isShareable: boolean;

  constructor(
    inputs: number,
    build: (streams: readonly Stream<unknown>[]) => Stream<R>,
    { share, ...options }: HarnessOptions & { readonly share?: Share },
  ) {
    // Options of a later version are refused, as everywhere. Batches concern only sources. A
    // harness has none, so its inputs arrive at once in both modes.
    checkSessionOptions('the harness', options.session ?? {});
    const builder = new Builder({ group: '' });
    const streams = Array.from({ length: inputs }, (_, index) => inputStream(builder, index));
    const result = build(streams);
    const { endpoint, ports } = originOf(result, builder);
    this.#inputs = streams.map(() => new HandInput());
    const hosted = new Map<string, Operator>(this.#inputs.map((input, index) => [`input#${index + 1}`, input]));
    const leaf = (id: string, operator: Operator, from: Endpoint): { node: PlanNode; edge: PlanEdge } => {
      if (!('node' in from))
        throw new SluiceError('foreign-stream', 'The harness needs a stream that was built from its input.');
      hosted.set(id, operator);
      return {
        node: { id, uid: id, kind: 'harnessOutput', name: id, group: 'harness', parameters: {}, own: id, shape: '' },
        edge: { from: from.node, port: from.port, to: id, input: 0, exchange: 'forward' },
      };
    };
    const leaves = [leaf('output', this.#output, endpoint)];
    if (ports.includes('late')) leaves.push(leaf('late', this.#late, { ...endpoint, port: 'late' }));
    if (ports.includes('timedOut')) leaves.push(leaf('timedOut', this.#timedOut, { ...endpoint, port: 'timedOut' }));
    const fragment = builder.fragment();
    const plan: Plan = planOf(
      fragment,
      leaves.map(({ node }) => node.id),
      { nodes: leaves.map(({ node }) => node), edges: leaves.map(({ edge }) => edge) },
    );
    const byKey = sharedOperators(plan);
    this.isShareable = byKey !== undefined;
    if (share)
      for (const { id, nodes, inputs: edges } of chainsOf(plan)) {
        const own = byKey?.get(id);
        if (!own) continue;
        const keys = [0, 1].map((input) => edges.find((edge) => edge.input === input)?.key);
        hosted.set(id, sharingOperator(nodes[0]!, fragment.functions, { keys, own, share }));
      }
    this.#runtime = new Runtime({
      functions: fragment.functions,
      clock: this.#clock,
      freeze: true,
      host: (node) => hosted.get(node.id),
      onFailure: (failure) => (this.#failure ??= failure),
    });
    const tasks = options.restore && (segmentValue(options.restore) as [string, TaskSnapshot][]);
    const restore = tasks && new Map(share ? shareOf(tasks, share) : tasks);
    this.#runtime.mutate(plan, restore ? { restore } : {});
    this.#settle();
    this.#restoreIdleness();
    // Restored operators send their watermark to a new reader. The reader of the test has received
    // it before.
    if (restore) this.#output.forgetMarks();
  }

  /**
   * The input with the highest watermark is first: an input that is still active holds time back
   * until all are idle again.
   */
  #restoreIdleness(): void {
    const idle = this.#inputs.filter(({ idleSince }) => idleSince !== undefined);
    for (const input of idle.sort((a, b) => b.idleSince! - a.idleSince!)) {
      input.say({ kind: 'idle' });
      this.#settle();
    }
  }

  element(value: unknown, timestamp = 0): void {
    this.#sayElement(0, value, timestamp);
  }
  watermark(time: number): void {
    this.#say(0, { kind: 'watermark', time: timeOf(time) });
  }
  idle(): void {
    this.#say(0, { kind: 'idle' });
  }
  active(): void {
    this.#say(0, { kind: 'active' });
  }
  left(value: unknown, timestamp = 0): void {
    this.element(value, timestamp);
  }
  right(value: unknown, timestamp = 0): void {
    this.#sayElement(1, value, timestamp);
  }
  leftWatermark(time: number): void {
    this.watermark(time);
  }
  rightWatermark(time: number): void {
    this.#say(1, { kind: 'watermark', time: timeOf(time) });
  }
  leftIdle(): void {
    this.idle();
  }
  leftActive(): void {
    this.active();
  }
  rightIdle(): void {
    this.#say(1, { kind: 'idle' });
  }
  rightActive(): void {
    this.#say(1, { kind: 'active' });
  }

  advanceProcessingTime(to: number): void {
    if (!Number.isInteger(to)) throw badTime('Processing time advances to', to);
    this.#clock.advanceTo(to);
    this.#settle();
  }
  output(options: { watermarks?: boolean } = {}): Output<R>[] {
    const items = this.#output.take();
    return options.watermarks ? items : items.filter((item) => 'element' in item);
  }
  late(): { element: unknown; timestamp: number }[] {
    return this.#late.take().filter((item) => 'element' in item);
  }
  timedOut(): unknown[] {
    return this.#timedOut.take().flatMap((item) => ('element' in item ? [item.element] : []));
  }
  entries(): number {
    let entries = 0;
    for (const task of this.#runtime.tasks.values()) entries += task.operatorStatus()?.entries ?? 0;
    return entries;
  }
  async settled(): Promise<void> {
    // Asynchronous answers arrive as messages. Each round processes them, until none is pending.
    do {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#settle();
    } while (this.#isInFlight);
  }
  get #isInFlight(): boolean {
    if (this.#runtime.barriersInFlight > 0) return true;
    for (const task of this.#runtime.tasks.values()) if (task.inFlight > 0) return true;
    return false;
  }
  snapshot(): Uint8Array {
    return this.barrier(0);
  }
  barrier(_id: number): Uint8Array {
    let taken: Snapshot | undefined;
    this.#runtime.snapshot((snapshot) => (taken = snapshot), 'full');
    this.#settle();
    if (!taken)
      throw new SluiceError(
        'unfinished',
        'The barrier waits behind an unfinished call: await settled(), or unblock downstream.',
      );
    return valueSegment([...taken.tasks]);
  }
  complete(_id: number): void {
    // Only sinks wait for the completion of a checkpoint, and a harness has none.
  }
  blockDownstream(blocked: boolean): void {
    this.#isNarrow = true;
    for (const output of [this.#output, this.#late, this.#timedOut])
      if (blocked) output.blocked = true;
      else output.unblock();
    this.#settle();
    this.#isNarrow = blocked;
  }
  hold(held: boolean): void {
    this.#isHeld = held;
    if (!held) this.#settle();
  }
  close(): void {
    this.#runtime.close();
  }

  #sayElement(input: number, value: unknown, timestamp: number): void {
    if (!Number.isInteger(timestamp) || Math.abs(timestamp) > maxTimestamp)
      throw badTime('The timestamp of the element is', timestamp);
    deepFreeze(value);
    this.#say(input, { kind: 'element', value, timestamp: timestamp + 0 });
  }
  #say(input: number, said: Said): void {
    this.#inputs[input]!.say(said);
    if (!this.#isHeld) this.#settle();
  }
  #settle(): void {
    do this.#narrow();
    while (this.#runtime.round());
    if (!this.#failure) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    throw error;
  }
  /** A channel grows with its throughput. This keeps it at one record. */
  #narrow(): void {
    if (!this.#isNarrow) return;
    for (const task of this.#runtime.tasks.values())
      for (const { channel } of task.gate.slots) if (channel) channel.capacity = 1;
  }
}

/**
 * A watermark beyond the range of timestamps is ±Infinity, because other engines use the least and
 * the greatest 64-bit number.
 */
function timeOf(watermark: number): number {
  if (Number.isNaN(watermark)) throw badTime('The watermark is', watermark);
  return Math.abs(watermark) > maxTimestamp ? Math.sign(watermark) * Infinity : watermark;
}

/**
 * One instance of parallel operators, which processes the keys of its share. For the script kit.
 */
export function harnessOf<R>(
  inputs: 1 | 2,
  build: (left: Stream<never>, right: Stream<never>) => Stream<R>,
  options: HarnessOptions & { readonly share?: Share },
): OneInputHarness<unknown, R> & TwoInputHarness<unknown, unknown, R> & DrivenHarness<R> {
  return new Driven<R>(
    inputs,
    (streams) => build(...(streams as unknown as [left: Stream<never>, right: Stream<never>])),
    options,
  );
}
function badTime(what: string, value: unknown): SluiceError {
  return new SluiceError(
    'bad-timestamp',
    `${what} ${described(value)}. Time is a whole number of epoch milliseconds; for elements, within ±8.64e15.`,
  );
}

/** A harness with one input. Elements and states are frozen: changing one throws an error. */
export function harness<T, R>(
  build: (input: Stream<T>) => Stream<R>,
  options: HarnessOptions = {},
): OneInputHarness<T, R> & DrivenHarness<R> {
  return new Driven<R>(1, ([input]) => build(input as Stream<T>), options);
}
export function harness2<L, R, O>(
  build: (left: Stream<L>, right: Stream<R>) => Stream<O>,
  options: HarnessOptions = {},
): TwoInputHarness<L, R, O> & DrivenHarness<O> {
  return new Driven<O>(2, ([left, right]) => build(left as Stream<L>, right as Stream<R>), options);
}
