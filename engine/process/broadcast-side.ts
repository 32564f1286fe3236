// The broadcast input of a process function: its elements reach every parallel instance, which all change the same state in the same way, and the other input
// may only read it. There is no key here: a broadcast state has one content, which is in a snapshot as a whole.
import type { EpochMillis } from '../api/surface.ts';
import { freezeElements } from '../state/freeze.ts';
import { declaredStates, readOnlyStates } from '../state/declared-state.ts';
import type { StateSpecs } from '../graph/state-spec.ts';
import type { CurrentKey, Values } from '../state/value-state.ts';
import { Emission } from '../contract/emission.ts';
import type { Batch, OperatorContext } from '../contract/operator.ts';

export interface BroadcastContext {
  readonly timestamp: EpochMillis;
  readonly watermark: EpochMillis;
  readonly broadcast: Readonly<Record<string, object>>;
}
export interface BroadcastFunctions {
  readonly state: StateSpecs;
  readonly onElement: (element: unknown, context: BroadcastContext) => Iterable<unknown> | void;
}
/** The operator whose side this is. */
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

  constructor(functions: BroadcastFunctions, host: Host) {
    this.#functions = functions;
    this.#names = Object.keys(functions.state);
    this.current = { values: this.#names.map(() => undefined) };
    this.#host = host;
  }
  /** Gives the states for who may only read them. */
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
  /** A snapshot writes all of it anyway. */
  touch(): void {}

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

  /** By name, so that a state added later finds the others in place. */
  content(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#names.map((name, index) => [name, this.current.values[index]]));
  }
  restore(content: Readonly<Record<string, unknown>>): void {
    this.#names.forEach((name, index) => (this.current.values[index] = content[name]));
  }
  close(): void {
    this.#rows.close();
  }
}
