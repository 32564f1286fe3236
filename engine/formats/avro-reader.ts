// Reads Avro's binary encoding with the writer's schema. Each record type becomes a generated
// function that makes the row as one object literal, so that all rows have one shape.
//
//   long beyond ±(2^53 − 1)   bigint, exact; other numbers are numbers
//   bytes, fixed              Uint8Array, a copy
//   enum                      its symbol
//   map                       plain object
//   union                     the value alone; { [name of the type]: value } if several branches are
//                             records or maps, because the value alone would not tell them apart
//
// The generated text has calls of the reader and names in quotes, nothing else of the schema.
import { compiled } from '../codegen/specialize.ts';
import { setField } from '../values/field.ts';
import { readLogical } from './avro-logical.ts';
import { type AvroType, branchName, type EnumType, type RecordType, type UnionType } from './avro-schema.ts';
import { BadRecord, type ByteReader } from './byte-reader.ts';

export type Read = (reader: ByteReader) => unknown;

/** The reader must stand at the beginning of the value. Errors while it reads: BadRecord. */
export function compileAvroReader(type: AvroType): Read {
  return readOf(type, new Map());
}

/** A record that contains itself calls its function through this, because it does not exist yet. */
interface Later {
  read?: Read;
}

function readOf(type: AvroType, records: Map<RecordType, Later>): Read {
  if ('logical' in type && type.logical) return readLogical(type, type.logical);
  switch (type.kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return readBoolean;
    case 'int':
      return (reader) => reader.zigzag32();
    case 'long':
      return (reader) => reader.zigzag64();
    case 'float':
      return (reader) => reader.float();
    case 'double':
      return (reader) => reader.double();
    case 'string':
      return (reader) => reader.text(reader.zigzagLength());
    case 'bytes':
      return (reader) => reader.slice(reader.zigzagLength());
    case 'fixed':
      return (reader) => reader.slice(type.size);
    case 'enum':
      return readEnum(type);
    case 'array':
      return readArray(readOf(type.items, records));
    case 'map':
      return readMap(readOf(type.values, records));
    case 'union':
      return readUnion(type, records);
    case 'record':
      return readRecord(type, records);
  }
}

function readBoolean(reader: ByteReader): boolean {
  const byte = reader.byte();
  if (byte > 1) throw new BadRecord(`byte ${reader.position - 1} is ${byte}, which is no boolean`);
  return byte === 1;
}

function readEnum({ name, symbols }: EnumType): Read {
  return (reader) => {
    const symbol = symbols[reader.zigzagLength()];
    if (symbol === undefined) throw new BadRecord(`the enum ${name} before byte ${reader.position} has no such symbol`);
    return symbol;
  };
}

/** A block begins with its count; a negative count is followed by the block's size in bytes. */
function countOf(reader: ByteReader): number {
  let count = reader.zigzagLength();
  if (count < 0) {
    count = -count;
    reader.zigzagLength();
  }
  reader.charge(count);
  return count;
}

function readArray(read: Read): Read {
  return (reader) => {
    const items: unknown[] = [];
    for (let count = countOf(reader); count > 0; count = countOf(reader))
      for (let i = 0; i < count; i++) items.push(read(reader));
    return items;
  };
}

function readMap(read: Read): Read {
  return (reader) => {
    const map = {};
    for (let count = countOf(reader); count > 0; count = countOf(reader))
      for (let i = 0; i < count; i++) setField(map, reader.text(reader.zigzagLength()), read(reader));
    return map;
  };
}

function readUnion({ branches, isWrapped }: UnionType, records: Map<RecordType, Later>): Read {
  const reads = branches.map((branch): Read => {
    const read = readOf(branch, records);
    if (!isWrapped || branch.kind === 'null') return read;
    const name = branchName(branch);
    return compiled<Read>(`return (reader) => ({ [${JSON.stringify(name)}]: read(reader) });`, { read }, 'avro union');
  });
  return (reader) => {
    const read = reads[reader.zigzagLength()];
    if (!read) throw new BadRecord(`the union before byte ${reader.position} has no such type`);
    return read(reader);
  };
}

function readRecord(record: RecordType, records: Map<RecordType, Later>): Read {
  const known = records.get(record);
  if (known) return known.read ?? ((reader) => known.read!(reader));
  const later: Later = {};
  records.set(record, later);
  const scope: Record<string, unknown> = {};
  const fields = record.fields.map(({ name, type }, index) => {
    // A computed name, because "__proto__" in a literal would set the prototype.
    const label = name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
    return `${label}: ${expression(type, `read${index}`, scope, records)}`;
  });
  const enters = record.isRecursive ? 'reader.enter();' : '';
  const leaves = record.isRecursive ? 'reader.leave();' : '';
  const body = `return (reader) => {
    reader.charge(${fields.length + 1}); ${enters}
    const row = { ${fields.join(',\n')} };
    ${leaves} return row;
  };`;
  later.read = compiled<Read>(body, scope, 'avro record');
  return later.read;
}

/** The call that reads a field. The usual types are called without a function between. */
function expression(
  type: AvroType,
  name: string,
  scope: Record<string, unknown>,
  records: Map<RecordType, Later>,
): string {
  const isPlain = !('logical' in type && type.logical);
  if (isPlain && type.kind === 'long') return 'reader.zigzag64()';
  if (isPlain && type.kind === 'int') return 'reader.zigzag32()';
  if (isPlain && type.kind === 'double') return 'reader.double()';
  if (isPlain && type.kind === 'string') return 'reader.text(reader.zigzagLength())';
  scope[name] = readOf(type, records);
  return `${name}(reader)`;
}
