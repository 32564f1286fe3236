// join and coGroup over windows: a window operator whose contents are two lists, one per side. As
// in Flink, the windows, their time and the late elements are those of the two streams together.
// The sides matter only for the window's result.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { Keyed } from '../state/keyed.ts';
import { deepFreeze } from '../state/freeze.ts';
import { JoinKeys } from '../state/join-keys.ts';
import { compileKeys, type KeyRow } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import { windowOperator } from './planned-windows.ts';
import type { Contents } from '../aggregates/accumulators.ts';
import { JoinPairs, type Select2 } from './join-pairs.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

interface Bounds {
  readonly windowStart: Date;
  readonly windowEnd: Date;
}
type CoGroup = (key: KeyRow, left: readonly unknown[], right: readonly unknown[], window: Bounds) => Iterable<unknown>;
interface Sides extends Keyed {
  left: unknown[];
  right: unknown[];
}
/** A side without elements; most keys of most windows have one. Shared: never write to it. */
const none: unknown[] = [];
type Result = Contents<Sides>['result'];

export function windowJoin(
  node: NodeOf<'windowJoin'>,
  functions: FunctionTable,
  left: KeySpec,
  right: KeySpec,
): Operator {
  const select = functions.get<Select2>(node.parameters.fn);
  const pairs = new JoinPairs(node.parameters.join, select);
  return sided(node, functions, left, right, () => (sides) => pairs.of(sides.left, sides.right));
}

export function windowCoGroup(
  node: NodeOf<'windowCoGroup'>,
  functions: FunctionTable,
  left: KeySpec,
  right: KeySpec,
): Operator {
  const apply = functions.get<CoGroup>(node.parameters.fn);
  return sided(node, functions, left, right, ({ freeze }) => (sides, windowStart, windowEnd) => {
    // Copied, because the user's iterator may still read them when an element is added.
    const given = [sides.left.slice(), sides.right.slice()] as const;
    if (freeze) deepFreeze([sides.row, given]);
    return apply(sides.row, ...given, { windowStart: windowStart!, windowEnd: windowEnd! });
  });
}

function sided(
  node: NodeOf<'windowJoin' | 'windowCoGroup'>,
  functions: FunctionTable,
  left: KeySpec,
  right: KeySpec,
  result: (context: OperatorContext) => Result,
): Operator {
  const [leftKeys, rightKeys] = [compileKeys(left, functions, node.uid), compileKeys(right, functions, node.uid)];
  const keys = new JoinKeys(leftKeys, rightKeys, node.name);
  const windows = windowOperator<Sides>(node, functions, {
    keys,
    contents: (context) => contentsOfSides(keys, result(context), context.name),
    givesMany: true,
    canPreview: false,
    mayBeSlow: 'fn' in left || 'fn' in right,
  });
  return new BothInputs(keys, windows);
}

function contentsOfSides(keys: JoinKeys, result: Result, name: string): Contents<Sides> {
  const kept = `An element in a window of "${name}"`;
  return {
    columns: ['left', 'right'],
    create(row, touched, element) {
      assertStorable(element, kept);
      return keys.side === 0
        ? { row, written: 0, savedBytes: 0, touched, left: [element], right: none }
        : { row, written: 0, savedBytes: 0, touched, left: none, right: [element] };
    },
    add(sides, element) {
      assertStorable(element, kept);
      // A literal takes one slot, push would take 17.
      if (keys.side === 0) {
        if (sides.left.length === 0) sides.left = [element];
        else sides.left.push(element);
      } else if (sides.right.length === 0) sides.right = [element];
      else sides.right.push(element);
    },
    merge(into, from) {
      into.left = joined(into.left, from.left);
      into.right = joined(into.right, from.right);
    },
    copy: ({ row, left, right }, touched) => ({
      row,
      written: 0,
      savedBytes: 0,
      touched,
      left: left.slice(),
      right: right.slice(),
    }),
    result,
    pack: ({ left, right }) => [left, right],
    unpack: (row, touched, [left, right]) => ({
      row,
      written: 0,
      savedBytes: 0,
      touched,
      left: left as unknown[],
      right: right as unknown[],
    }),
  };
}

/**
 * Appends `from` to `into`. An empty list is shared and must not grow, so it is replaced by a copy.
 */
function joined(into: unknown[], from: readonly unknown[]): unknown[] {
  if (from.length === 0) return into;
  if (into.length === 0) return from.slice();
  for (const element of from) into.push(element);
  return into;
}

/** Adapts two inputs to an operator with one. The keys know the input of the current elements. */
class BothInputs implements Operator {
  readonly #keys: JoinKeys;
  readonly #inner: Operator;
  constructor(keys: JoinKeys, inner: Operator) {
    this.#keys = keys;
    this.#inner = inner;
  }
  get at(): number {
    return this.#inner.at!;
  }
  get working(): string | undefined {
    return this.#inner.working;
  }
  open(context: OperatorContext): void {
    this.#inner.open?.(context);
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    this.#keys.side = input;
    return this.#inner.process(0, batch, from);
  }
  advance(watermark: number): boolean {
    return this.#inner.advance?.(watermark) ?? true;
  }
  tick(now: number): boolean {
    return this.#inner.tick?.(now) ?? true;
  }
  end(): boolean {
    return this.#inner.end?.() ?? true;
  }
  snapshot(writer: StateWriter): void {
    const { names } = this.#keys;
    let inner: unknown;
    this.#inner.snapshot?.({
      full: writer.full,
      entries: (schema, segments, isWhole) => writer.entries(schema, segments, isWhole),
      value: (content) => (inner = content),
      splits: (content) => writer.splits(content),
      list: (items) => writer.list(items),
      orderedList: (items) => writer.orderedList(items),
      broadcast: (content) => writer.broadcast(content),
      minimum: (time) => writer.minimum(time),
    });
    writer.value({ inner, names });
  }
  restore(reader: StateReader): void {
    const value = reader.value() as { readonly inner: unknown; readonly names?: readonly string[] } | undefined;
    this.#keys.restoreNames(value?.names);
    this.#inner.restore?.({ ...reader, value: () => value?.inner });
  }
  status(): OperatorStatus {
    return this.#inner.status!();
  }
  close(): void {
    this.#inner.close?.();
  }
}
