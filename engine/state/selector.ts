// Selectors of the plan as functions: a field by name, or the user's function.
import type { FunctionTable } from '../graph/plan.ts';
import type { SelectorSpec } from '../graph/spec.ts';
import { compiled } from '../codegen/specialize.ts';

export type Select = (element: unknown) => unknown;

/**
 * Each selector is compiled separately: if all records have one shape, to read a field is one load.
 */
export function compileSelector(spec: SelectorSpec, functions: FunctionTable, label: string): Select {
  return 'fn' in spec ? functions.get<Select>(spec.fn) : fieldReader(spec.field, label);
}

export function fieldReader(field: string, label: string): Select {
  return compiled<Select>(`return (element) => element[${JSON.stringify(field)}]`, {}, label);
}

/** The selector in an error message. */
export function selectorName(spec: SelectorSpec): string {
  return 'fn' in spec ? 'its selector' : `"${spec.field}"`;
}
