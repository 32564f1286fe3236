// Values of constants as JSON, for the plan of a job.
import { types } from 'node:util';
import type { CapturedName, PlanValue } from '../../../engine/graph/plan-value.ts';
import type { CapturedValue } from '../../export/captured-values.ts';
import type { ConstantValues } from '../../export/constant-values.ts';

/** What the functions of a job capture, with the values that are known. */
export function capturedNames(
  captured: readonly CapturedValue[],
  { values }: Pick<ConstantValues, 'values'>,
): readonly CapturedName[] {
  return captured.flatMap(({ name, cell, kind, value, dependences, type }): CapturedName[] => {
    if (kind === 'live') return [];
    if (kind === 'literal') return [{ name, cell, kind: 'constant', value: planValue(value), type }];
    if (kind !== 'constant') return [{ name, cell, kind }];
    if (values.has(name)) return [{ name, cell, kind, value: planValue(values.get(name)), type }];
    // What holds functions has no value: its text makes it again.
    return [{ name, cell, kind: dependences.isOfStart ? 'start' : 'code', type }];
  });
}

/** `value` is data, as `copyData` knows it. */
export function planValue(value: unknown): PlanValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { type: 'double', text: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return { type: 'long', text: String(value) };
    case 'object':
      return value === null ? null : objectValue(value);
    default:
      return { type: 'undefined' };
  }
}

function objectValue(value: object): PlanValue {
  if (Array.isArray(value)) return Array.from(value, planValue);
  if (types.isDate(value)) return { type: 'timestamp', millis: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (types.isMap(value)) {
    const entries = [...value].map(([key, one]) => [planValue(key), planValue(one)] as const);
    return { type: 'map', entries };
  }
  if (types.isSet(value)) return { type: 'set', of: [...value].map(planValue) };
  if (types.isRegExp(value)) return { type: 'pattern', source: value.source, flags: value.flags };
  if (types.isAnyArrayBuffer(value))
    return { type: 'numbers', of: 'ArrayBuffer', base64: Buffer.from(value).toString('base64') };
  if (ArrayBuffer.isView(value)) {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    if (types.isUint8Array(value)) return { type: 'bytes', base64 };
    return { type: 'numbers', of: Object.prototype.toString.call(value).slice(8, -1), base64 };
  }
  const fields = Object.entries(value).map(([name, one]) => [name, planValue(one)] as const);
  // An own field `__proto__` stays one: Object.fromEntries defines its fields.
  return { type: 'row', fields: Object.fromEntries(fields) };
}
