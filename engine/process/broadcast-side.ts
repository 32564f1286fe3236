// The broadcast input of a process function. Its elements reach every parallel instance, and all
// instances change the same state in the same way. The other input may only read this state. There
// is no key: the broadcast state is written to a snapshot as a whole, and only if it has changed
// since the snapshot before. A value that was put into it never changes, as in keyed state. So a
// barrier copies the references, 8 bytes for each item, and the items are written in slices.
import type { EpochMillis } from '../api/surface.ts';
import { freezeElements } from '../state/freeze.ts';
import { declaredStates, readOnlyStates, restoredValue } from '../state/declared-state.ts';
import type { StateSpec, StateSpecs } from '../graph/state-spec.ts';
import type { ListCell } from '../state/list-state.ts';
import { type MapCell, type MapEntry, restoreEntry } from '../state/map-state.ts';
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
    writer.broadcast(this.#items());
    this.#isWritten = true;
  }
  /** What they are now, whatever changes before they are read. */
  #items(): Iterable<BroadcastItem> {
    const kinds = Object.values(this.#functions.state).map(({ kind }) => kind);
    const held = this.current.values.map((value, index) => heldOf(kinds[index]!, value));
    const names = this.#names;
    return (function* () {
      for (const [index, name] of names.entries())
        for (const item of held[index]!) yield itemOf(name, kinds[index]!, item);
    })();
  }
  restore(saved: SavedBroadcast): void {
    const { state } = this.#functions;
    const content = Array.isArray(saved) ? contentOf(saved as readonly BroadcastItem[]) : formerContent(saved, state);
    this.#names.forEach((name, index) => (this.current.values[index] = content[name]));
  }
  close(): void {
    this.#rows.close();
  }
}

/** One item in a snapshot, by the name of its state: if the user adds one, the others are found. */
export type BroadcastItem =
  | readonly [name: string, kind: 'value' | 'list', item: unknown]
  | readonly [name: string, kind: 'map', key: unknown, value: unknown];
/** Items; or, of a former version, the content by name. */
export type SavedBroadcast = readonly BroadcastItem[] | Readonly<Record<string, unknown>>;

function heldOf(kind: StateSpec['kind'], value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (kind === 'value') return [value];
  return kind === 'list' ? (value as ListCell).items.slice() : [...(value as MapCell).entries.values()];
}
function itemOf(name: string, kind: StateSpec['kind'], item: unknown): BroadcastItem {
  if (kind === 'value' || kind === 'list') return [name, kind, item];
  const { key, value } = item as MapEntry;
  return [name, kind, key, value];
}
function formerContent(saved: object, specs: StateSpecs): Readonly<Record<string, unknown>> {
  const content = saved as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, restoredValue(content[name], spec)]));
}
function contentOf(items: readonly BroadcastItem[]): Readonly<Record<string, unknown>> {
  const content = new Map<string, unknown>();
  for (const item of items) {
    const [name, kind] = item;
    if (kind === 'value') content.set(name, item[2]);
    else if (kind === 'list') {
      const cell = content.get(name) as ListCell | undefined;
      if (cell) cell.items.push(item[2]);
      else content.set(name, { items: [item[2]] } satisfies ListCell);
    } else {
      const cell = (content.get(name) as MapCell | undefined) ?? { entries: new Map<unknown, MapEntry>() };
      restoreEntry(cell, item[2], item[3]);
      content.set(name, cell);
    }
  }
  return Object.fromEntries(content);
}
