// The format 'auto': found from the bytes of the first records, then kept. Each record that is
// looked at has one vote; among equals the order is that of the list.
//
//   json     it is JSON, or it begins like an object, an array or a text of JSON
//   schema   a byte 0 and a schema id: Avro, Protobuf or JSON Schema, as the registry says
//   string   text of UTF-8 without control characters
//   bytes    everything else
import { isUtf8 } from 'node:buffer';
import { SluiceError } from '../errors/error.ts';
import { wayToRegistry } from '../errors/way-to-set.ts';
import { type Integers, type SchemaType, typeNames } from '../graph/format-spec.ts';
import {
  type FindSchemas,
  FramedFormat,
  headerLength,
  openFormat,
  optionNames,
  type Outcome,
  type RecordBytes,
  type RecordPart,
  type RegistryNames,
  type ValueFormat,
} from './value-format.ts';

const kinds = ['json', 'schema', 'string', 'bytes'] as const;
export type FoundKind = (typeof kinds)[number];

/** Records that are looked at, at most. */
const looksAt = 100;
/** Bytes of a text that are looked at. */
const longestLook = 64 << 10;
const anyType: readonly SchemaType[] = ['AVRO', 'PROTOBUF', 'JSON'];

const noRecord = openFormat({ format: 'json' }, () => undefined);

export class FoundFormat implements ValueFormat {
  value: unknown;
  problem = '';
  readonly #names: RegistryNames;
  readonly #find: FindSchemas;
  readonly #part: RecordPart;
  readonly #integers: Integers | undefined;
  readonly #votes = noVotes();
  #kind: FoundKind | undefined;
  #format: ValueFormat | undefined;
  #stops: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(names: RegistryNames, find: FindSchemas, part: RecordPart = 'value', integers?: Integers) {
    this.#integers = integers;
    this.#names = names;
    this.#find = find;
    this.#part = part;
  }

  /** The format that was found; undefined: no record has been read. Part of a snapshot. */
  get kind(): FoundKind | undefined {
    return this.#kind;
  }
  /** For the status: "JSON", "Avro (schema registry)". */
  get about(): string | undefined {
    const type = this.#format instanceof FramedFormat ? this.#format.lastType : undefined;
    if (this.#kind === 'schema') return type ? `${typeNames[type]} (schema registry)` : undefined;
    return this.#kind && { json: 'JSON', string: 'text', bytes: 'bytes' }[this.#kind];
  }
  get trouble(): string | undefined {
    return this.#format?.trouble;
  }
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      for (const stop of this.#stops) stop();
      this.#stops = [];
    };
  }

  /** Lets a record vote before the first one is read. Later it does nothing. */
  look({ bytes }: RecordBytes, start: number, end: number): void {
    if (this.#kind === undefined && end > start) this.#votes[kindOf(bytes.subarray(start, end))]++;
  }
  /** Lets the first records of a chunk vote. A negative length means that a record has no value. */
  lookAt(record: RecordBytes, lengths: Int32Array, count: number): void {
    let at = 0;
    for (let i = 0; i < count && i < looksAt; i++) {
      const length = Math.max(0, lengths[i]!);
      this.look(record, at, at + length);
      at += length;
    }
  }
  /** Takes the format that an earlier reader has found. */
  restore(kind: FoundKind): void {
    this.#kind = kind;
  }

  read(record: RecordBytes, start: number, end: number): Outcome {
    if (this.#kind === undefined) {
      if (kinds.every((kind) => this.#votes[kind] === 0)) this.look(record, start, end);
      if (end > start) this.#kind = electedKind(this.#votes);
    }
    // A record without bytes says nothing of those that come.
    const format = this.#kind === undefined ? noRecord : (this.#format ??= this.#open(this.#kind));
    const outcome = format.read(record, start, end);
    if (outcome === 'value') this.value = format.value;
    else if (outcome === 'problem') this.problem = format.problem;
    return outcome;
  }

  #open(kind: FoundKind): ValueFormat {
    if (kind !== 'schema') return openFormat({ format: kind, integers: this.#integers }, this.#find);
    const schemas = this.#find(this.#names);
    if (!schemas)
      throw new SluiceError(
        'registry-no-connection',
        `${this.#part === 'key' ? 'The keys of the first records' : 'The first records'} begin with a schema id, and there is no schema registry: ${wayToRegistry()}, or give ${optionNames[this.#part].format}: "bytes".`,
        { variable: 'SLUICE_REGISTRY' },
      );
    this.#format = new FramedFormat(schemas, anyType);
    this.#follow();
    return this.#format;
  }
  #follow(): void {
    if (this.#listeners.size === 0 || this.#stops.length > 0 || !this.#format?.watch) return;
    this.#stops.push(this.#format.watch(() => this.#listeners.forEach((listener) => listener())));
  }
}

type Votes = Record<FoundKind, number>;
const noVotes = (): Votes => ({ json: 0, schema: 0, string: 0, bytes: 0 });
function electedKind(votes: Votes): FoundKind {
  return kinds.toSorted((a, b) => votes[b] - votes[a])[0]!;
}
/** What 'auto' finds if these are the first values; undefined: none has bytes. */
export function kindOfValues(values: readonly Buffer[]): FoundKind | undefined {
  const votes = noVotes();
  const looked = values.filter(({ length }) => length > 0).slice(-looksAt);
  for (const value of looked) votes[kindOf(value)]++;
  return looked.length === 0 ? undefined : electedKind(votes);
}

function kindOf(bytes: Buffer): FoundKind {
  const first = bytes[0]!;
  if (first === 0 && bytes.length >= headerLength && bytes.readUInt32BE(1) > 0) return 'schema';
  const seen = bytes.subarray(0, longestLook);
  const isWhole = seen.length === bytes.length;
  // A text that was cut may end within a character.
  if (isWhole && !isUtf8(seen)) return 'bytes';
  const text = seen.toString('utf8');

  if (/[\0-\x08\x0e-\x1f]/.test(text)) return 'bytes';
  if (/^\s*[{["]/.test(text)) return 'json';
  if (!isWhole) return 'string';
  try {
    JSON.parse(text);
    return 'json';
  } catch {
    return 'string';
  }
}
