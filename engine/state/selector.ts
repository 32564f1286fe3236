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

/**
 * An element that is null or undefined has no field. The exception costs less than a check of each
 * element.
 */
export function fieldReader(field: string, label: string): Select {
  const read = `element[${JSON.stringify(field)}]`;
  const missing = 'if (element === null || element === undefined) return undefined; throw error;';
  return compiled<Select>(`return (element) => { try { return ${read}; } catch (error) { ${missing} } }`, {}, label);
}

/** The selector in an error message. */
export function selectorName(spec: SelectorSpec): string {
  return 'fn' in spec ? 'its selector' : `"${spec.field}"`;
}
