// connect(broadcast).process: a process function with broadcast state. Every parallel instance has
// the same broadcast state, and only broadcast elements may change it. On a keyed stream the
// function also has keyed state and timers; otherwise it has only the broadcast state.
import type { Context, Timers } from '../api/surface.ts';
import { SluiceError } from '../errors/error.ts';
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import { compileKeys } from '../state/keys.ts';
import { type BroadcastFunctions, BroadcastSide, type SavedBroadcast } from './broadcast-side.ts';
import { Emission } from '../contract/emission.ts';
import { KeyedProcess } from './keyed-process.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { stateAndTimer } from './process.ts';

type Rows = Iterable<unknown> | void;
type UserContext = Context<object, Record<string, never>>;

export function broadcastProcess(
  node: NodeOf<'broadcastProcess'>,
  functions: FunctionTable,
  key: KeySpec | undefined,
): Operator {
  const { onElement, onBroadcast } = node.parameters;
  const broadcast: BroadcastFunctions = {
    state: node.parameters.broadcast,
    onElement: functions.get(onBroadcast),
  };
  if (!key) return new BroadcastProcess(functions.get(onElement), broadcast);
  return new KeyedProcess([compileKeys(key, functions, node.uid)], {
    onElement: [functions.get(onElement)],
    broadcast,
    ...stateAndTimer(node, functions),
  });
}

class BroadcastProcess implements Operator {
  at = 0;
  watermark = -Infinity;
  readonly #onElement: (element: unknown, context: UserContext) => Rows;
  readonly #broadcast: BroadcastSide;
  readonly #rows = new Emission();
  #context!: OperatorContext;
  #user!: UserContext;
  #timestamp = 0;

  constructor(onElement: (element: unknown, context: UserContext) => Rows, broadcast: BroadcastFunctions) {
    this.#onElement = onElement;
    this.#broadcast = new BroadcastSide(broadcast, this);
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#user = this.#userContext(this.#broadcast.open(context));
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    if (input === 1) return this.#broadcast.process(batch, from);
    const { output, freeze, name } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      if (!this.#rows.isOpen) {
        this.#timestamp = batch.timestamps[i]!;
        const rows = this.#onElement(batch.values[i], this.#user);
        if (rows !== undefined) this.#rows.start(rows, this.#timestamp, `process of "${name}"`);
      }
      if (!this.#rows.drain(output)) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  advance(watermark: number): boolean {
    this.watermark = watermark;
    return true;
  }

  #userContext(broadcast: Readonly<Record<string, object>>): UserContext {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- its getters have another `this`
    const process = this;
    const context: UserContext & { readonly broadcast: object } = {
      key: Object.freeze({}),
      get timestamp() {
        return process.#timestamp;
      },
      get watermark() {
        return process.watermark;
      },
      state: {},
      timers: noTimers(this.#context.name),
      broadcast,
    };
    return context;
  }

  snapshot(writer: StateWriter): void {
    writer.minimum(this.watermark);
    this.#broadcast.snapshot(writer);
  }
  restore(reader: StateReader): void {
    const content = reader.broadcast() as SavedBroadcast | undefined;
    if (!content) return;
    this.watermark = reader.minimum() ?? -Infinity;
    this.#broadcast.restore(content);
  }
  /** Broadcast state does not count as keyed state. */
  status(): OperatorStatus {
    return { entries: 0 };
  }
  close(): void {
    this.#rows.close();
    this.#broadcast.close();
  }
}

function noTimers(name: string): Timers {
  const refuse = (): never => {
    throw new SluiceError(
      'no-key',
      `"${name}" uses a timer, but timers belong to keys and its stream has none. Put keyBy() before connect().`,
    );
  };
  return { eventTime: refuse, processingTime: refuse, deleteEventTime: refuse, deleteProcessingTime: refuse };
}
