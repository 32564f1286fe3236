// Segments: the bytes of saved state, format 1. A program in any language can read them, entry by
// entry. All numbers are big-endian.
//
//   'SLST' · version (1) · kind · 00 00 · puts (32) · removals (32)
//   · body · CRC-32 of all bytes before
//
// Kinds: 1 entries, 2 an operator's own scalars, 3 splits (a Map by name), 4 items of a list (an
// array), 5 broadcast content (items of it, an array; one object by name in former versions). The
// body of 2 to 5 is one value, as ValueWriter writes it. The body
// of kind 1 is a list of records. The removals come first, and a put replaces the entry that was
// known before:
//
//   put     01 · namespace · length (32), key bytes · length (32), content [, label]
//   remove  02 · namespace · length (32), key bytes
//   drop    03 · namespace                        (all entries of the namespace are removed)
//
// Key bytes are canonical (key-bytes.ts). A namespace is written as a tuple of no value or one: its
// length (8 bits), then key bytes. The content is an array with the columns of the schema. A label
// is written only where the key bytes do not tell how results show the key.
//
// A segment has the entries of one key group. A chain is the segments of a key group, oldest first.
// What a chain says is what its last segment says, then the one before, and so on.
import { crc32 } from 'node:zlib';
import type { SavedEntry } from '../contract/operator.ts';
import type { SavedGroup } from './keyed.ts';
import { SluiceError } from '../errors/error.ts';
import { ValueReader } from '../values/value-reader.ts';
import { ValueWriter } from '../values/value-writer.ts';
import { withKeyBytes } from './key-bytes.ts';
import { keyGroups } from './key-group.ts';
import { KnownKeys } from './known-keys.ts';
import { readTuple } from './key-reader.ts';
import { murmur3 } from './murmur3.ts';

/** Later formats keep the magic, the version and the checksum in their places. */
export const segmentFormat = 1;
const headerBytes = 16;
const checksumBytes = 4;
const magic = Buffer.from('SLST', 'latin1');
const entriesKind = 1;
/** Kinds of segments that are one value. */
const valueKinds = { value: 2, splits: 3, list: 4, broadcast: 5 } as const;
export type ValueKind = keyof typeof valueKinds;
const put = 1;
const remove = 2;
const drop = 3;

/** The segments of one key group, oldest first. */
export type Chain = readonly Uint8Array[];

// ------------------------------------------------------------------------------------------- write

/** The records of one key group so far. */
class Group {
  readonly writer: ValueWriter;
  puts = 0;
  removals = 0;
  /** Bytes that a compaction of its chain takes out: replaced records, and those that remove. */
  garbage = 0;

  constructor(size = 1 << 10) {
    this.writer = new ValueWriter(size);
    this.writer.at = headerBytes;
  }
  append(from: Buffer, start: number, end: number): void {
    const { writer } = this;
    writer.reserve(end - start);
    from.copy(writer.bytes, writer.at, start, end);
    writer.at += end - start;
  }
  done(): Uint8Array {
    const { writer, puts, removals } = this;
    writer.reserve(checksumBytes);
    return sealed(writer.bytes, writer.at, entriesKind, puts, removals);
  }
}

/** A finished segment. `garbage`: see `Group`. */
export interface WrittenSegment {
  readonly segment: Uint8Array;
  readonly garbage: number;
}

export class SegmentWriter {
  /** Bytes of the last record. */
  recordBytes = 0;
  readonly #groups: (Group | undefined)[] = new Array<Group | undefined>(keyGroups).fill(undefined);
  #kind = put;
  #namespace: number | undefined;
  #group = 0;
  /** Where the present record begins in its group. */
  #start = 0;
  /**
   * A record goes straight to its group, which is known with its key. One closure for all records.
   */
  readonly #begin = (bytes: Uint8Array, length: number): Group => {
    this.#group = murmur3(bytes, length) % keyGroups;
    const group = this.#groupOf(this.#group);
    const { writer } = group;
    this.#start = writer.at;
    writeHead(writer, this.#kind, this.#namespace);
    writer.uint32(length);
    writer.raw(bytes, length);
    return group;
  };

  /**
   * Returns the key group. Removals come before puts. `replaced`: bytes of the record of the key
   * that earlier segments have.
   */
  put(
    namespace: number | undefined,
    tuple: readonly unknown[],
    content: readonly unknown[],
    label: unknown,
    replaced = 0,
  ): number {
    const group = this.#keyed(put, namespace, tuple);
    const { writer } = group;
    try {
      writer.uint32(0);
      const start = writer.at;
      writer.value(content);
      if (label !== undefined) writer.value(label);
      writer.bytes.writeUInt32BE(writer.at - start, start - 4);
    } catch (error) {
      // Nothing of a record that cannot be stored stays.
      writer.at = this.#start;
      throw error;
    }
    group.puts++;
    group.garbage += replaced;
    this.recordBytes = writer.at - this.#start;
    return this.#group;
  }
  remove(namespace: number | undefined, tuple: readonly unknown[], removed = 0): void {
    const group = this.#keyed(remove, namespace, tuple);
    group.removals++;
    group.garbage += removed + group.writer.at - this.#start;
  }
  /** Removes all entries of a namespace. `saved`: what it has in each key group. */
  drop(namespace: number, saved: ReadonlyMap<number, SavedGroup>): void {
    for (const [index, { entries, bytes }] of saved) {
      const group = this.#groupOf(index);
      const start = group.writer.at;
      writeHead(group.writer, drop, namespace);
      group.removals += entries;
      group.garbage += bytes + group.writer.at - start;
    }
  }
  /** The segment of a key group; undefined: it has no records. Its records are let go. */
  take(index: number): WrittenSegment | undefined {
    const group = this.#groups[index];
    this.#groups[index] = undefined;
    return group && group.puts + group.removals > 0 ? { segment: group.done(), garbage: group.garbage } : undefined;
  }
  /** By key group; only those with records. */
  segments(): Map<number, Uint8Array> {
    const segments = new Map<number, Uint8Array>();
    for (let index = 0; index < keyGroups; index++) {
      const taken = this.take(index);
      if (taken) segments.set(index, taken.segment);
    }
    return segments;
  }

  #keyed(kind: number, namespace: number | undefined, tuple: readonly unknown[]): Group {
    this.#kind = kind;
    this.#namespace = namespace;
    return withKeyBytes(tuple, this.#begin);
  }
  #groupOf(index: number): Group {
    return (this.#groups[index] ??= new Group());
  }
}

function writeHead(writer: ValueWriter, kind: number, namespace: number | undefined): void {
  writer.byte(kind);
  if (namespace === undefined) return writer.byte(0);
  writer.byte(9);
  writer.byte(3);
  writer.double(namespace === 0 ? 0 : namespace);
}

export function valueSegment(value: unknown, kind: ValueKind = 'value'): Uint8Array {
  const writer = new ValueWriter();
  writer.reserve(headerBytes);
  writer.at = headerBytes;
  writer.value(value);
  writer.reserve(checksumBytes);
  return sealed(writer.bytes, writer.at, valueKinds[kind], 0, 0);
}

/**
 * A segment of a list has at most so many items, and ends with the item that reaches so many bytes.
 */
const itemsOfSegment = 256;
const bytesOfItems = 1 << 16;

/** A segment of the next items; undefined: there are no more. */
export function itemsSegment(items: Iterator<unknown>, kind: ValueKind): Uint8Array | undefined {
  const writer = new ValueWriter();
  writer.reserve(headerBytes);
  writer.at = headerBytes;
  if (writer.items(items, itemsOfSegment, bytesOfItems) === 0) return undefined;
  writer.reserve(checksumBytes);
  return sealed(writer.bytes, writer.at, valueKinds[kind], 0, 0);
}

/** `bytes` have room for the header, and for the checksum behind `length`. */
function sealed(bytes: Buffer, length: number, kind: number, puts: number, removals: number): Uint8Array {
  magic.copy(bytes, 0);
  bytes[4] = segmentFormat;
  bytes[5] = kind;
  bytes[6] = 0;
  bytes[7] = 0;
  bytes.writeUInt32BE(puts, 8);
  bytes.writeUInt32BE(removals, 12);
  const end = bytes.writeUInt32BE(crc32(bytes.subarray(0, length)), length);
  return new Uint8Array(bytes.subarray(0, end));
}

// -------------------------------------------------------------------------------------------- read

/** The format of a segment that matches its checksum, also a format of later versions. */
export function formatOf(segment: Uint8Array): number | undefined {
  const bytes = Buffer.from(segment.buffer, segment.byteOffset, segment.length);
  return hasHeader(bytes) && matchesChecksum(bytes) ? bytes[4] : undefined;
}

function hasHeader(bytes: Buffer): boolean {
  return bytes.length >= headerBytes + checksumBytes && bytes.compare(magic, 0, 4, 0, 4) === 0;
}
function matchesChecksum(bytes: Buffer): boolean {
  const end = bytes.length - checksumBytes;
  return crc32(bytes.subarray(0, end)) === bytes.readUInt32BE(end);
}

/** A reader of the body, after the checks of format and checksum. */
function opened(segment: Uint8Array, kind: number): ValueReader {
  const bytes = Buffer.from(segment.buffer, segment.byteOffset, segment.length);
  if (!hasHeader(bytes))
    throw new SluiceError('bad-state', `${bytes.length} bytes of saved state are no segment. ${anotherCheckpoint}`);
  if (bytes[4]! > segmentFormat)
    throw new SluiceError(
      'newer-state',
      `The saved state has format ${bytes[4]!}, this version of Sluice reads formats up to ${segmentFormat}. Update Sluice, or start anew.`,
    );
  if (!matchesChecksum(bytes) || bytes[5] !== kind)
    throw new SluiceError('bad-state', `A segment of saved state does not match its checksum. ${anotherCheckpoint}`);
  return new ValueReader(bytes, headerBytes, bytes.length - checksumBytes);
}
const anotherCheckpoint = 'Take an older checkpoint, or start anew.';

export function segmentValue(segment: Uint8Array, kind: ValueKind = 'value'): unknown {
  return opened(segment, valueKinds[kind]).value();
}

/** The records of a segment, one after the other. A visitor reads the fields and keeps nothing. */
class Records {
  readonly #reader: ValueReader;
  readonly bytes: Buffer;
  kind = 0;
  start = 0;
  /** The end of its namespace, and of its key bytes. */
  namespaceEnd = 0;
  keyEnd = 0;
  end = 0;

  constructor(segment: Uint8Array) {
    this.#reader = opened(segment, entriesKind);
    this.bytes = this.#reader.bytes;
  }
  /** False: there are no more. */
  next(): boolean {
    const reader = this.#reader;
    if (reader.isAtEnd) return false;
    this.start = reader.at;
    this.kind = reader.byte();
    reader.take(reader.byte());
    this.namespaceEnd = reader.at;
    if (this.kind !== drop) reader.take(reader.uint32());
    this.keyEnd = reader.at;
    if (this.kind === put) reader.take(reader.uint32());
    this.end = reader.at;
    return true;
  }
}

/** The shortest record has so many bytes. */
const leastRecord = 6;

/** Visits the puts of a chain that are the last word about their keys. The newest come first. */
function eachLive(chain: Chain, visit: (record: Records) => void): void {
  const newer = chain.slice(1);
  const most = (segment: Uint8Array): number =>
    Math.min(countOf(segment, 8) + countOf(segment, 12), Math.floor(segment.length / leastRecord));
  const known = new KnownKeys(newer.reduce((sum, segment) => sum + most(segment), 0));
  const dropped = new Set<string>();
  for (let index = chain.length - 1; index >= 0; index--) {
    const records = new Records(chain[index]!);
    const { bytes } = records;
    /** What this segment says counts for older segments only. */
    const saidBefore = known.size;
    const droppedHere: string[] = [];
    const namespace = (): string => bytes.toString('latin1', records.start + 1, records.namespaceEnd);
    while (records.next()) {
      const { kind, start, keyEnd } = records;
      if (kind === drop) {
        droppedHere.push(namespace());
        continue;
      }
      const number = saidBefore === 0 ? -1 : known.find(bytes, start + 1, keyEnd);
      const isKnown = number >= 0 && number < saidBefore;
      if (kind === put && !isKnown && (dropped.size === 0 || !dropped.has(namespace()))) visit(records);
      if (index > 0) known.add(bytes, start + 1, keyEnd);
    }
    for (const one of droppedHere) dropped.add(one);
  }
}

/** The entries of a chain. */
export function entriesOf(chain: Chain): SavedEntry[] {
  const entries: SavedEntry[] = [];
  eachLive(chain, ({ bytes, start, namespaceEnd, keyEnd, end }) => {
    const namespace = namespaceEnd > start + 2 ? bytes.readDoubleBE(start + 3) : undefined;
    const tuple = readTuple(new ValueReader(bytes, namespaceEnd + 4, keyEnd), keyEnd);
    const reader = new ValueReader(bytes, keyEnd + 4, end);
    const content = reader.value() as readonly unknown[];
    entries.push({ namespace, tuple, content, label: reader.isAtEnd ? undefined : reader.value() });
  });
  return entries;
}

/** The chain as one segment; undefined when it has no entries. */
export function compacted(chain: Chain): Uint8Array | undefined {
  const group = new Group(bytesOf(chain));
  // Records that stay behind each other are copied together.
  let from: Buffer | undefined;
  let [begin, until] = [0, 0];
  eachLive(chain, ({ bytes, start, end }) => {
    group.puts++;
    if (bytes === from && start === until) {
      until = end;
      return;
    }
    if (from) group.append(from, begin, until);
    [from, begin, until] = [bytes, start, end];
  });
  if (from) group.append(from, begin, until);
  return group.puts === 0 ? undefined : group.done();
}

export function bytesOf(chain: Chain): number {
  return chain.reduce((sum, { length }) => sum + length, 0);
}

/** A bound of its entries: one that was written again counts again. */
export function putsOf(chain: Chain): number {
  return chain.reduce((sum, segment) => sum + countOf(segment, 8), 0);
}

/**
 * The part of a chain that a compaction takes out, 0 to 1. `records`: bytes of records that are
 * replaced, removed, or remove others (`WrittenSegment.garbage`). Of the segments only one stays.
 */
export function garbageOf(chain: Chain, records: number): number {
  return (records + (headerBytes + checksumBytes) * (chain.length - 1)) / bytesOf(chain);
}
function countOf(segment: Uint8Array, at: number): number {
  return Buffer.from(segment.buffer, segment.byteOffset, segment.length).readUInt32BE(at);
}
