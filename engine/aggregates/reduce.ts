// reduce on a keyed stream: folds each element into the value of its key, and emits the new value.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { Keyed } from '../state/keyed.ts';
import { deepFreeze } from '../state/freeze.ts';
import { compileKeys } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import type { Contents } from './accumulators.ts';
import { KeyedRows } from './rolling.ts';
import type { Operator, OperatorContext } from '../contract/operator.ts';

export function reduce(node: NodeOf<'reduce'>, functions: FunctionTable, key: KeySpec): Operator {
  const fold = functions.get<Fold>(node.parameters.fn);
  return new KeyedRows(compileKeys(key, functions, node.uid), (context) => reducedContents(fold, context));
}

export type Fold = (accumulated: unknown, element: unknown) => unknown;
export interface Reduced extends Keyed {
  value: unknown;
}

/** The first element is the initial value. Later elements are folded in. */
export function reducedContents(fold: Fold, { name, freeze }: OperatorContext): Contents<Reduced> {
  const kept = `What "${name}" accumulates`;
  const add = (reduced: Reduced, element: unknown): void => {
    const value = fold(reduced.value, element);
    // The kept value has been checked before.
    if (value === reduced.value) return;
    assertStorable(value, kept);
    if (freeze) deepFreeze(value);
    reduced.value = value;
  };
  return {
    columns: ['value'],
    create(row, touched, element) {
      assertStorable(element, kept);
      return { row, written: 0, savedBytes: 0, touched, value: element };
    },
    add,
    // A reduced value has the type of an element.
    merge: (into, from) => add(into, from.value),
    copy: ({ row, value }, touched) => ({ row, written: 0, savedBytes: 0, touched, value }),
    result: (reduced) => reduced.value,
    pack: ({ value }) => [value],
    unpack: (row, touched, [value]) => ({ row, written: 0, savedBytes: 0, touched, value }),
  };
}
