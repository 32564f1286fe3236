// The type of rows that engine/formats/protobuf-reader.ts reads.
import protobuf from 'protobufjs';
import { nameInFile } from '../../engine/formats/protobuf-names.ts';
import { longNote } from './avro-types.ts';
import {
  type Budget,
  literal,
  newBudget,
  plain,
  type RowField,
  type RowType,
  unionOf,
  unknownType,
} from './row-type.ts';
import { pathOfField, pathOfItems, pathOfValues, typeAt, type TypePath } from './type-path.ts';

const longs = ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64'];
const known = new Map<string, RowType>(
  Object.entries({
    'google.protobuf.Timestamp': plain('Date'),
    'google.protobuf.Duration': plain('number', 'Milliseconds.'),
    'google.protobuf.Struct': { kind: 'map', values: unknownType },
    'google.protobuf.ListValue': { kind: 'array', items: unknownType },
    'google.protobuf.Value': unknownType,
    'confluent.type.Decimal': plain('string', 'A decimal.'),
    ...Object.fromEntries(
      ['Double', 'Float', 'Int32', 'UInt32'].map((name) => [`google.protobuf.${name}Value`, plain('number')]),
    ),
    ...Object.fromEntries(
      ['Int64', 'UInt64'].map((name) => [`google.protobuf.${name}Value`, plain('number', longNote)]),
    ),
    'google.protobuf.BoolValue': plain('boolean'),
    'google.protobuf.StringValue': plain('string'),
    'google.protobuf.BytesValue': plain('Uint8Array'),
  }),
);

export function typeOfProtobuf(type: protobuf.Type, path: TypePath): RowType {
  return typeOfMessage(type, path, new Map(), newBudget());
}

type Open = ReadonlyMap<protobuf.Type, TypePath>;

function typeOfMessage(type: protobuf.Type, path: TypePath, open: Open, budget: Budget): RowType {
  const wellKnown = known.get(type.fullName.slice(1));
  if (wellKnown) return wellKnown;
  if (open.has(type)) return typeAt(open.get(type));
  const inside = new Map([...open, [type, path] as const]);
  return { kind: 'object', fields: type.fieldsArray.map((field) => typeOfField(field, path, inside, budget)) };
}

function typeOfField(field: protobuf.Field, path: TypePath, open: Open, budget: Budget): RowField {
  const name = nameInFile(field.name);
  const at = pathOfField(path, name);
  if (field.map)
    return {
      name,
      type: { kind: 'map', values: typeOfValue(field, pathOfValues(at), open, budget) },
      isOptional: false,
    };
  if (field.repeated)
    return {
      name,
      type: { kind: 'array', items: typeOfValue(field, pathOfItems(at), open, budget) },
      isOptional: false,
    };
  // A field with presence that was not written is absent.
  const isOptional = !field.required && (field.hasPresence || field.resolvedType instanceof protobuf.Type);
  return { name, type: typeOfValue(field, at, open, budget), isOptional };
}

function typeOfValue(field: protobuf.Field, path: TypePath, open: Open, budget: Budget): RowType {
  if (--budget.left < 0) return unknownType;
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Type) return typeOfMessage(resolvedType, path, open, budget);
  // A number without a name is the number.
  if (resolvedType instanceof protobuf.Enum)
    return unionOf(Object.keys(resolvedType.values).map((name) => literal(nameInFile(name))));
  if (longs.includes(type)) return plain('number', longNote);
  if (type === 'bool') return plain('boolean');
  if (type === 'string') return plain('string');
  return type === 'bytes' ? plain('Uint8Array') : plain('number');
}
