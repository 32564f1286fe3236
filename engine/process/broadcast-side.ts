// The broadcast input of a process function. Its elements reach every parallel instance, and all
// instances change the same state in the same way. The other input may only read this state. There
// is no key: the broadcast state is written to a snapshot as a whole, and only if it has changed
// since the snapshot before. A value that was put into it never changes, as in keyed state.
import type { EpochMillis } from '../api/surface.ts';
import { freezeElements } from '../state/freeze.ts';
import { declaredStates, readOnlyStates } from '../state/declared-state.ts';
import type { StateSpecs } from '../graph/state-spec.ts';
import type { CurrentKey, Values } from '../state/value-state.ts';
import { Emission } from '../contract/emission.ts';
import type { Batch, OperatorContext, StateWriter } from '../contract/operator.ts';

interface BroadcastContext {
  readonly timestamp: EpochMillis;
  readonly watermark: EpochMillis;
  readonly broadcast: Readonly<Record<string, object>>;
}
export interface BroadcastFunctions {
  readonly state: StateSpecs;
  readonly onElement: (element: unknown, context: BroadcastContext) => Iterable<unknown> | void;
}
/** The operator that has this input. */
interface Host {
  at: number;
  readonly watermark: number;
}

export class BroadcastSide implements CurrentKey {
  readonly current: Values;
  readonly #functions: BroadcastFunctions;
  readonly #names: readonly string[];
  readonly #rows = new Emission();
  readonly #host: Host;
  #context!: OperatorContext;
  #user!: BroadcastContext;
  #timestamp = 0;
  /** The last snapshot has what it is now. */
  #isWritten = false;

  constructor(functions: BroadcastFunctions, host: Host) {
    this.#functions = functions;
    this.#names = Object.keys(functions.state);
    this.current = { values: this.#names.map(() => undefined) };
    this.#host = host;
  }
  /** Returns the states in read-only form, for the other input. */
  open(context: OperatorContext): Readonly<Record<string, object>> {
    const { state } = this.#functions;
    this.#context = context;
    const states = declaredStates(this, state, context.name, context.freeze, 'Broadcast state');
    const at = (): number => this.#timestamp;
    const host = this.#host;
    this.#user = {
      get timestamp() {
        return at();
      },
      get watermark() {
        return host.watermark;
      },
      broadcast: states,
    };
    return readOnlyStates(
      states,
      state,
      (name, call) =>
        `Broadcast state "${name}" of "${context.name}" can only be read here: ${call}() would make the parallel instances differ. Change it in onBroadcast, which all of them run.`,
    );
  }
  now(): number {
    return this.#context.clock.now();
  }
  touch(): void {
    this.#isWritten = false;
  }

  process(batch: Batch, from: number): number {
    const { output, freeze, name } = this.#context;
    if (freeze) freezeElements(batch, from);
    for (let i = from; i < batch.length; i++) {
      this.#host.at = i;
      if (!this.#rows.isOpen) {
        this.#timestamp = batch.timestamps[i]!;
        const rows = this.#functions.onElement(batch.values[i], this.#user);
        if (rows !== undefined) this.#rows.start(rows, this.#timestamp, `onBroadcast of "${name}"`);
      }
      if (!this.#rows.drain(output)) return i;
      if (output.full) return i + 1;
    }
    return batch.length;
  }

  snapshot(writer: StateWriter): void {
    if (this.#isWritten && !writer.full) return;
    writer.broadcast(this.#content());
    this.#isWritten = true;
  }
  /** By name: if the user adds a state, the others are still found. */
  #content(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#names.map((name, index) => [name, this.current.values[index]]));
  }
  restore(content: Readonly<Record<string, unknown>>): void {
    this.#names.forEach((name, index) => (this.current.values[index] = content[name]));
  }
  close(): void {
    this.#rows.close();
  }
}
