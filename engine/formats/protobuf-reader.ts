// Reads Protobuf's binary encoding as plain rows.
//
//   64-bit integers   number, or bigint beyond ±(2^53 − 1)
//   enum              its name; the number if the schema has no name for it
//   bytes             Uint8Array, a copy
//   map               plain object; keys are texts
//   oneof, optional   the field is absent if it was not written (proto2 too); other scalars have their
//   and messages      default (0, "", false, the first name), repeated fields [] and maps {}
//   Timestamp         Date; a fraction of a millisecond is cut off
//   Duration          milliseconds
//   wrappers, Struct, the bare value
//   Value, ListValue
//   Decimal           of Confluent: its exact text, as in Avro
//
// Fields that the schema does not know are skipped.
import protobuf from 'protobufjs';
import { compiled } from '../codegen/specialize.ts';
import { maxTimestamp } from '../time/event-time.ts';
import { setField } from '../values/field.ts';
import { nameInFile } from './protobuf-names.ts';
import { decimalText } from './avro-logical.ts';
import { BadRecord, type ByteReader } from './byte-reader.ts';

type Row = Record<string, unknown>;
type ReadValue = (reader: ByteReader) => unknown;

const wireTypes = { varint: 0, fixed64: 1, length: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;
interface Scalar {
  readonly wire: number;
  readonly read: ReadValue;
  /** As text of JavaScript. */
  readonly empty: string;
}
interface Field {
  readonly name: string;
  /** All members of its oneof. */
  readonly oneof: readonly string[] | undefined;
  readonly value: Value;
  readonly many: 'one' | 'list' | 'map';
  /** Of a map. */
  readonly key?: Scalar;
}
type Value = { readonly scalar: Scalar } | { readonly message: () => Message };
interface Message {
  readonly empty: () => Row;
  readonly fields: ReadonlyMap<number, Field>;
  /** A well-known type becomes another value. */
  readonly known?: (row: Row) => unknown;
}

const varint = (read: ReadValue): Scalar => ({ wire: wireTypes.varint, read, empty: '0' });
const scalars: Readonly<Record<string, Scalar>> = {
  int32: varint((reader) => reader.int32()),
  uint32: varint((reader) => reader.uint32()),
  sint32: varint((reader) => reader.zigzag32()),
  int64: varint((reader) => reader.int64()),
  uint64: varint((reader) => reader.uint64()),
  sint64: varint((reader) => reader.zigzag64()),
  bool: { ...varint((reader) => reader.boolean()), empty: 'false' },
  fixed32: { wire: wireTypes.fixed32, read: (reader) => reader.fixed32(), empty: '0' },
  sfixed32: { wire: wireTypes.fixed32, read: (reader) => reader.signedFixed32(), empty: '0' },
  float: { wire: wireTypes.fixed32, read: (reader) => reader.float(), empty: '0' },
  fixed64: { wire: wireTypes.fixed64, read: (reader) => reader.fixed64(), empty: '0' },
  sfixed64: { wire: wireTypes.fixed64, read: (reader) => reader.signedFixed64(), empty: '0' },
  double: { wire: wireTypes.fixed64, read: (reader) => reader.double(), empty: '0' },
  string: { wire: wireTypes.length, read: (reader) => reader.text(reader.uint32()), empty: '""' },
  bytes: { wire: wireTypes.length, read: (reader) => reader.slice(reader.uint32()), empty: 'new Uint8Array(0)' },
};

/** The reader must stand at the beginning of the message, and its end is that of the message. */
export function compileProtobufReader(type: protobuf.Type): ReadValue {
  const message = messageOf(type, new Map())();
  return (reader) => readMessage(message, reader, 0, undefined);
}

/** Made when it is first needed, because messages contain each other. */
function messageOf(type: protobuf.Type, known: Map<protobuf.Type, Message>): () => Message {
  let found: Message | undefined;
  return () => (found ??= known.get(type) ?? makeMessage(type, known));
}
function makeMessage(type: protobuf.Type, known: Map<protobuf.Type, Message>): Message {
  const fields = new Map<number, Field>();
  const convert = knownTypes.get(type.fullName.slice(1));
  const message: Message = { empty: emptyRow(type), fields, ...(convert && { known: convert }) };
  known.set(type, message);
  for (const field of type.fieldsArray) fields.set(field.id, fieldOf(field, known));
  return message;
}

function fieldOf(field: protobuf.Field, known: Map<protobuf.Type, Message>): Field {
  const oneof = field.partOf ? namesInFile(field.partOf) : undefined;
  const { resolvedType } = field;
  const value: Value =
    resolvedType instanceof protobuf.Type ? { message: messageOf(resolvedType, known) } : { scalar: scalarOf(field) };
  const many = field.map ? 'map' : field.repeated ? 'list' : 'one';
  const key = field instanceof protobuf.MapField ? scalars[field.keyType] : undefined;
  return { name: nameInFile(field.name), oneof, value, many, ...(key && { key }) };
}

const membersOf = new WeakMap<protobuf.OneOf, readonly string[]>();
/** The list is shared by all members. */
function namesInFile(oneof: protobuf.OneOf): readonly string[] {
  const known = membersOf.get(oneof) ?? oneof.oneof.map(nameInFile);
  membersOf.set(oneof, known);
  return known;
}

function scalarOf(field: protobuf.Field): Scalar {
  const { resolvedType } = field;
  if (!(resolvedType instanceof protobuf.Enum)) return scalars[field.type]!;
  // Of several names of one number the first is its name.
  const entries = Object.entries(resolvedType.values).map(([name, number]) => [number, nameInFile(name)] as const);
  const names = new Map(entries.toReversed());
  const [[, first] = [0, 0]] = entries;
  const read: ReadValue = (reader) => {
    const number = reader.int32();
    return names.get(number) ?? number;
  };
  return { wire: wireTypes.varint, read, empty: JSON.stringify(names.get(0) ?? first) };
}

/** The row of a message without any bytes. */
function emptyRow(type: protobuf.Type): () => Row {
  const fields = type.fieldsArray.flatMap((field) => {
    // In brackets, because "__proto__" in a literal would set the prototype.
    const label = `[${JSON.stringify(nameInFile(field.name))}]`;
    if (field.map) return [`${label}: {}`];
    if (field.repeated) return [`${label}: []`];
    if (field.hasPresence || field.resolvedType instanceof protobuf.Type) return [];
    return [`${label}: ${scalarOf(field).empty}`];
  });
  return compiled<() => Row>(`return () => ({ ${fields.join(', ')} });`, {}, 'protobuf message');
}

// ----------------------------------------------------------------------------------------- reading

/**
 * `group`: the number of the group that contains the message; 0: its bytes end with the reader's.
 */
function readMessage(message: Message, reader: ByteReader, group: number, into: Row | undefined): unknown {
  reader.enter();
  reader.charge(1);
  const row = into ?? message.empty();
  for (;;) {
    if (reader.at >= reader.end) {
      if (group !== 0) throw new BadRecord('a group in it has no end');
      break;
    }
    const tag = reader.uint32();
    const wire = tag & 7;
    const number = tag >>> 3;
    if (wire === wireTypes.groupEnd) {
      if (number !== group) throw new BadRecord(`byte ${reader.position - 1} ends a group that was not begun`);
      break;
    }
    if (number === 0) throw new BadRecord(`byte ${reader.position - 1} has the field number 0`);
    const field = message.fields.get(number);
    if (!field || !readField(field, row, reader, wire, number)) skip(reader, wire, number);
  }
  reader.leave();
  return message.known ? message.known(row) : row;
}

/** false: the bytes are of another wire type, as if the field were unknown. */
function readField(field: Field, row: Row, reader: ByteReader, wire: number, number: number): boolean {
  const { name, value, many } = field;
  if (many === 'map') {
    if (wire !== wireTypes.length) return false;
    readEntry(field, row[name] as Row, reader);
    return true;
  }
  if (many === 'list') {
    const list = row[name] as unknown[];
    if ('scalar' in value && wire === wireTypes.length && value.scalar.wire !== wireTypes.length) {
      const outer = beginPart(reader);
      while (reader.at < reader.end) list.push(value.scalar.read(reader));
      reader.end = outer;
      return true;
    }
    if (!fits(value, wire)) return false;
    list.push(readValue(value, reader, wire, number, undefined));
    return true;
  }
  if (!fits(value, wire)) return false;
  if (field.oneof) keepOnly(name, field.oneof, row, reader);
  // A message that comes in parts is merged.
  const isOpen = 'message' in value && !value.message().known && Object.hasOwn(row, name);
  setField(row, name, readValue(value, reader, wire, number, isOpen ? (row[name] as Row) : undefined));
  return true;
}

/** The last member of a oneof that was written counts. */
function keepOnly(name: string, members: readonly string[], row: Row, reader: ByteReader): void {
  reader.charge(members.length >> 4);
  for (const member of members) if (member !== name && Object.hasOwn(row, member)) delete row[member];
}

function fits(value: Value, wire: number): boolean {
  if ('scalar' in value) return wire === value.scalar.wire;
  return wire === wireTypes.length || wire === wireTypes.groupStart;
}

function readValue(value: Value, reader: ByteReader, wire: number, number: number, into: Row | undefined): unknown {
  if ('scalar' in value) return value.scalar.read(reader);
  if (wire === wireTypes.groupStart) return readMessage(value.message(), reader, number, into);
  const outer = beginPart(reader);
  const read = readMessage(value.message(), reader, 0, into);
  reader.end = outer;
  return read;
}

/** A key and a value as a message with the fields 1 and 2, of which each may be missing. */
function readEntry({ key, value }: Field, map: Row, reader: ByteReader): void {
  const outer = beginPart(reader);
  reader.charge(1);
  let name: unknown = key!.empty === '""' ? '' : key!.empty;
  let item: unknown;
  let hasItem = false;
  while (reader.at < reader.end) {
    const tag = reader.uint32();
    const wire = tag & 7;
    if (tag >>> 3 === 1 && wire === key!.wire) name = key!.read(reader);
    else if (tag >>> 3 === 2 && fits(value, wire)) {
      item = readValue(value, reader, wire, 2, undefined);
      hasItem = true;
    } else skip(reader, wire, tag >>> 3);
  }
  reader.end = outer;
  setField(map, String(name), hasItem ? item : emptyValue(value));
}
function emptyValue(value: Value): unknown {
  if ('scalar' in value)
    return compiled<() => unknown>(`return () => (${value.scalar.empty});`, {}, 'protobuf default')();
  const message = value.message();
  return message.known ? message.known(message.empty()) : message.empty();
}

/** Reads a length, and ends the reader there. Returns the former end. */
function beginPart(reader: ByteReader): number {
  const length = reader.uint32();
  const outer = reader.end;
  const start = reader.take(length);
  reader.at = start;
  reader.end = start + length;
  return outer;
}

function skip(reader: ByteReader, wire: number, number: number): void {
  switch (wire) {
    case wireTypes.varint:
      reader.uint64();
      return;
    case wireTypes.fixed64:
      reader.take(8);
      return;
    case wireTypes.length:
      reader.take(reader.uint32());
      return;
    case wireTypes.fixed32:
      reader.take(4);
      return;
    case wireTypes.groupStart:
      reader.enter();
      for (;;) {
        const tag = reader.uint32();
        if ((tag & 7) === wireTypes.groupEnd && tag >>> 3 === number) break;
        skip(reader, tag & 7, tag >>> 3);
      }
      reader.leave();
      return;
    default:
      throw new BadRecord(`byte ${reader.position - 1} has the wire type ${wire}, which does not exist here`);
  }
}

// ------------------------------------------------------------------------------- well-known types

const wrappers = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];

const knownTypes = new Map<string, (row: Row) => unknown>(
  Object.entries({
    'google.protobuf.Timestamp': ({ seconds, nanos }: Row) => {
      const millis = Number(seconds) * 1_000 + Math.floor(Number(nanos) / 1e6);
      if (Math.abs(millis) <= maxTimestamp) return new Date(millis);
      throw new BadRecord(`it has a time of ${Number(seconds)} s since 1970, which no Date can hold`);
    },
    'google.protobuf.Duration': ({ seconds, nanos }: Row) => Number(seconds) * 1_000 + Number(nanos) / 1e6,
    'google.protobuf.Struct': ({ fields }: Row) => fields,
    'google.protobuf.ListValue': ({ values }: Row) => values,
    'google.protobuf.Value': (row: Row) => {
      // protobufjs has its own spelling of Google's file.
      const [[name, value] = ['null_value', null]] = Object.entries(row);
      return name === 'null_value' || name === 'nullValue' ? null : value;
    },
    'confluent.type.Decimal': ({ value, scale }: Row) => decimalText(value as Uint8Array, scale as number),
    ...Object.fromEntries(wrappers.map((name) => [`google.protobuf.${name}Value`, ({ value }: Row) => value])),
  }),
);
