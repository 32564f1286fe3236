// The type of rows that engine/formats/avro-reader.ts reads.
import { type AvroType, branchName, type RecordType, type UnionType } from '../../engine/formats/avro-schema.ts';
import type { Logical } from '../../engine/formats/avro-schema.ts';
import { type Budget, literal, newBudget, plain, type RowType, unionOf, unknownType } from './row-type.ts';
import { pathOfField, pathOfItems, pathOfMember, pathOfValues, typeAt, type TypePath } from './type-path.ts';

export const longNote = 'An integer of 64 bits; beyond 2^53 it is a bigint.';

export function typeOfAvro(type: AvroType, path: TypePath): RowType {
  return convert(type, path, new Map(), newBudget());
}

type Open = ReadonlyMap<RecordType, TypePath>;

/** `open`: the records around it, and the paths to them. */
function convert(type: AvroType, path: TypePath, open: Open, budget: Budget): RowType {
  if (--budget.left < 0) return unknownType;
  if ('logical' in type && type.logical) return typeOfLogical(type.logical);
  switch (type.kind) {
    case 'null':
      return plain('null');
    case 'boolean':
      return plain('boolean');
    case 'int':
    case 'float':
    case 'double':
      return plain('number');
    case 'long':
      return plain('number', longNote);
    case 'string':
      return plain('string');
    case 'bytes':
    case 'fixed':
      return plain('Uint8Array');
    case 'enum':
      return unionOf(type.symbols.map(literal));
    case 'array':
      return { kind: 'array', items: convert(type.items, pathOfItems(path), open, budget) };
    case 'map':
      return { kind: 'map', values: convert(type.values, pathOfValues(path), open, budget) };
    case 'union':
      return typeOfUnion(type, path, open, budget);
    case 'record': {
      if (open.has(type)) return typeAt(open.get(type));
      const inside = new Map([...open, [type, path] as const]);
      const fields = type.fields.map(({ name, type: inner }) => ({
        name,
        type: convert(inner, pathOfField(path, name), inside, budget),
        isOptional: false,
      }));
      return { kind: 'object', fields };
    }
  }
}

function typeOfUnion({ branches, isWrapped }: UnionType, path: TypePath, open: Open, budget: Budget): RowType {
  const isObject = (type: AvroType): boolean =>
    ['record', 'map', 'array', 'bytes', 'fixed'].includes(type.kind) || 'logical' in type;
  const isOnlyObject = branches.filter(isObject).length === 1;
  return unionOf(
    branches.map((branch): RowType => {
      const inner = convert(branch, isWrapped ? undefined : pathOfMember(path, isOnlyObject), open, budget);
      if (!isWrapped || branch.kind === 'null') return inner;
      return { kind: 'object', fields: [{ name: branchName(branch), type: inner, isOptional: false }] };
    }),
  );
}

function typeOfLogical(logical: Logical): RowType {
  switch (logical.kind) {
    case 'date':
    case 'timestamp':
      return plain('Date');
    case 'local-timestamp':
      return plain('string', 'A date and time in ISO 8601, without a zone.');
    case 'time-millis':
    case 'time-micros':
      return plain('number', 'Milliseconds since midnight.');
    case 'decimal':
      return plain('string', `A decimal with ${logical.scale} decimals.`);
    case 'uuid':
      return plain('string', 'A UUID.');
    case 'duration': {
      const fields = ['months', 'days', 'millis'].map((name) => ({ name, type: plain('number'), isOptional: false }));
      return { kind: 'object', fields };
    }
  }
}
