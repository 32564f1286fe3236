// window(…).apply: calls the user's function with all elements of a key and window; it returns any
// number of rows.
import type { KeySpec } from '../graph/spec.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { Keyed } from '../state/keyed.ts';
import { deepFreeze } from '../state/freeze.ts';
import { compileKeys, type KeyRow } from '../state/keys.ts';
import { assertStorable } from '../values/storable.ts';
import { windowOperator } from './planned-windows.ts';
import type { FunctionContents } from './evicting-contents.ts';
import type { Operator, OperatorContext } from '../contract/operator.ts';

type Apply = (
  key: KeyRow,
  window: { readonly windowStart: Date; readonly windowEnd: Date },
  elements: readonly unknown[],
) => Iterable<unknown>;
interface Collected extends Keyed {
  readonly elements: unknown[];
}

export function windowApply(node: NodeOf<'windowApply'>, functions: FunctionTable, key: KeySpec): Operator {
  const apply = functions.get<Apply>(node.parameters.fn);
  return windowOperator<Collected>(node, functions, {
    keys: compileKeys(key, functions, node.uid),
    contents: (context) => collectedContents(apply, context),
    givesMany: true,
    mayBeSlow: 'fn' in key,
    canPreview: false,
  });
}

function collectedContents(apply: Apply, { name, freeze }: OperatorContext): FunctionContents<Collected> {
  const kept = `An element in a window of "${name}"`;
  return {
    columns: ['elements'],
    create(row, touched, element) {
      assertStorable(element, kept);
      return { row, written: 0, savedBytes: 0, touched, elements: [element] };
    },
    empty: (row) => ({ row, written: 0, savedBytes: 0, touched: 0, elements: [] }),
    add({ elements }, element) {
      assertStorable(element, kept);
      elements.push(element);
    },
    merge({ elements }, from) {
      for (const element of from.elements) elements.push(element);
    },
    copy: ({ row, elements }, touched) => ({ row, written: 0, savedBytes: 0, touched, elements: elements.slice() }),
    result({ row, elements }, windowStart, windowEnd) {
      // Copied, because the user's iterator may still read it when a late element is added.
      const given = elements.slice();
      if (freeze) deepFreeze(given);
      return apply(row, { windowStart: windowStart!, windowEnd: windowEnd! }, given);
    },
    pack: ({ elements }) => [elements],
    unpack: (row, touched, [elements]) => ({
      row,
      written: 0,
      savedBytes: 0,
      touched,
      elements: elements as unknown[],
    }),
  };
}
