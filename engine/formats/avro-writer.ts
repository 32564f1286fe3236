// Writes a row in Avro's binary encoding. An error names the field and the type in its schema.
//
// A field that the row does not have gets its default, or null if its type allows null. Fields that
// the schema does not have are left out. A union takes the first branch that gives the value back,
// else the first that the value fits; where the reader wraps a value by the name of its branch, so
// must the row.
import { described } from '../values/kind.ts';
import { type AvroType, branchName, type MapType, type RecordType, type UnionType } from './avro-schema.ts';
import { writeLogical } from './avro-logical.ts';
import type { ByteWriter } from './byte-writer.ts';

/** The message is a sentence that begins with the field. */
export class BadRow extends Error {}

/** Levels of a row; one that contains itself has no end. */
const deepest = 500;
const int64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

export function writeAvro(type: AvroType, row: unknown, writer: ByteWriter): void {
  new RowWriter(writer).write(type, row);
}

class RowWriter {
  readonly #writer: ByteWriter;
  /** Names of fields and indices from the row to the value at work. */
  readonly #path: (string | number)[] = [];

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  write(type: AvroType, value: unknown): void {
    const writer = this.#writer;
    if ('logical' in type && type.logical) {
      const problem = writeLogical(type, type.logical, value, writer);
      if (problem !== undefined) throw this.#bad(problem);
      return;
    }
    switch (type.kind) {
      case 'null':
        if (value !== null && value !== undefined) throw this.#unfit(value, 'null');
        return;
      case 'boolean':
        if (typeof value !== 'boolean') throw this.#unfit(value, 'a boolean');
        return writer.byte(value ? 1 : 0);
      case 'int':
        if (typeof value !== 'number' || value !== (value | 0)) throw this.#unfit(value, 'an int of 32 bits');
        return writer.zigzag64(value);
      case 'long':
        if (!isLong(value)) throw this.#unfit(value, 'a long: a whole number, or a bigint beyond 2^53');
        return writer.zigzag64(value);
      case 'float':
      case 'double':
        if (typeof value !== 'number') throw this.#unfit(value, `a ${type.kind}`);
        return type.kind === 'float' ? writer.float(value) : writer.double(value);
      case 'string':
        if (typeof value !== 'string') throw this.#unfit(value, 'a string');
        return writer.text(value);
      case 'bytes':
        if (!(value instanceof Uint8Array)) throw this.#unfit(value, 'a Uint8Array');
        return writer.bytes(value);
      case 'fixed':
        if (!(value instanceof Uint8Array) || value.length !== type.size)
          throw this.#unfit(value, `a Uint8Array of ${type.size} bytes`);
        return writer.raw(value);
      case 'enum': {
        const index = type.symbols.indexOf(value as string);
        if (index < 0) throw this.#unfit(value, `one of "${type.symbols.slice(0, 20).join('", "')}"`);
        return writer.zigzag64(index);
      }
      case 'array':
        return this.#array(type.items, value);
      case 'map':
        return this.#map(type, value);
      case 'union':
        return this.#union(type, value);
      case 'record':
        return this.#record(type, value);
    }
  }

  #array(items: AvroType, value: unknown): void {
    if (!Array.isArray(value)) throw this.#unfit(value, 'an array');
    if (value.length > 0) this.#writer.zigzag64(value.length);
    for (const [index, item] of value.entries()) this.#at(index, items, item);
    this.#writer.byte(0);
  }
  #map({ values }: MapType, value: unknown): void {
    const entries =
      value instanceof Map ? [...(value as Map<string, unknown>)] : isObject(value) && Object.entries(value);
    if (!entries) throw this.#unfit(value, 'a map: a plain object or a Map');
    if (entries.length > 0) this.#writer.zigzag64(entries.length);
    for (const [name, item] of entries) {
      if (typeof name !== 'string') throw this.#unfit(value, 'a map with texts as keys');
      this.#writer.text(name);
      this.#at(name, values, item);
    }
    this.#writer.byte(0);
  }
  #record({ name, fields }: RecordType, value: unknown): void {
    if (!isObject(value)) throw this.#unfit(value, `a record ${name}`);
    for (const field of fields) {
      const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
      if (given === undefined && field.default !== undefined) this.#default(field.name, field.type, field.default);
      else this.#at(field.name, field.type, given);
    }
  }
  #at(name: string | number, type: AvroType, value: unknown): void {
    this.#path.push(name);
    if (this.#path.length > deepest) throw new BadRow(`It is nested more than ${deepest} levels deep.`);
    this.write(type, value);
    this.#path.pop();
  }

  #union({ branches, isWrapped }: UnionType, value: unknown): void {
    if (isWrapped && isObject(value)) {
      const [name, ...more] = Object.keys(value);
      const index = more.length > 0 ? -1 : branches.findIndex((branch) => branchName(branch) === name);
      const names = branches.map(branchName).join('", "');
      if (index < 0)
        throw this.#bad(`is ${described(value)}; it must be { [name]: value } with one of the names "${names}"`);
      this.#writer.zigzag64(index);
      return this.#at(name!, branches[index]!, value[name!]);
    }
    const place = this.#writer.at;
    const depth = this.#path.length;
    let telling: BadRow | undefined;
    let reached = depth;
    for (const [index, branch] of inOrder(branches, value)) {
      if (branch.kind === 'null' && value !== null && value !== undefined) continue;
      try {
        this.#writer.zigzag64(index);
        return this.write(branch, value);
      } catch (error) {
        if (!(error instanceof BadRow)) throw error;
        // The branch that was followed furthest has the telling error.
        if (!telling || this.#path.length > reached) [telling, reached] = [error, this.#path.length];
        this.#writer.back(place);
        this.#path.length = depth;
      }
    }
    const isNullable = branches.filter(({ kind }) => kind !== 'null').length === 1;
    if (telling && (reached > depth || isNullable)) throw telling;
    throw this.#unfit(value, `one of ${branches.map(branchName).join(', ')}`);
  }

  /** A default is JSON: bytes as text, and a union takes its first branch. */
  #default(name: string, type: AvroType, json: unknown): void {
    this.#path.push(name);
    this.#writeDefault(type, json);
    this.#path.pop();
  }
  #writeDefault(type: AvroType, json: unknown): void {
    const writer = this.#writer;
    if (type.kind === 'union') {
      const [first] = type.branches;
      writer.zigzag64(0);
      this.#writeDefault(first!, json);
    } else if (type.kind === 'bytes' && typeof json === 'string') writer.bytes(Buffer.from(json, 'latin1'));
    else if (type.kind === 'fixed' && typeof json === 'string') writer.raw(Buffer.from(json, 'latin1'));
    else if ((type.kind === 'int' || type.kind === 'long') && typeof json === 'number') writer.zigzag64(json);
    else if (type.kind === 'record' && isObject(json))
      for (const field of type.fields)
        this.#default(field.name, field.type, Object.hasOwn(json, field.name) ? json[field.name] : field.default);
    else this.write(type, json);
  }

  #unfit(value: unknown, wanted: string): BadRow {
    if (value === undefined && this.#path.length > 0) return this.#bad(`is missing; its schema wants ${wanted}`);
    return this.#bad(`is ${described(value)}; its schema wants ${wanted}`);
  }
  #bad(problem: string): BadRow {
    const path = this.#path
      .map((name, index) => (typeof name === 'number' ? `[${name}]` : index === 0 ? name : `.${name}`))
      .join('');
    return new BadRow(`${path === '' ? 'It' : `Its field "${path}"`} ${problem}.`);
  }
}

/** The branches with their indices, those first that give the value back as it is. */
function inOrder(branches: readonly AvroType[], value: unknown): readonly (readonly [number, AvroType])[] {
  const all = [...branches.entries()];
  // One type and null: nothing to choose.
  if (branches.length < 3) return all;
  const exact = all.filter(([, branch]) => givesBack(branch, value));
  return [...exact, ...all.filter((one) => !exact.includes(one))];
}
/** Whether a value that fits the type is read again as the same value. */
function givesBack(type: AvroType, value: unknown): boolean {
  const logical = 'logical' in type ? type.logical?.kind : undefined;
  if (logical === 'date') return value instanceof Date && value.getTime() % 86_400_000 === 0;
  if (logical === 'timestamp') return value instanceof Date;
  if (logical === 'time-millis') return Number.isInteger(value);
  if (logical === 'decimal') return typeof value === 'string';
  return type.kind !== 'float' || typeof value !== 'number' || Object.is(Math.fround(value), value);
}
function isLong(value: unknown): value is number | bigint {
  if (typeof value === 'bigint') return value >= int64.least && value <= int64.most;
  return Number.isSafeInteger(value);
}
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array);
}
