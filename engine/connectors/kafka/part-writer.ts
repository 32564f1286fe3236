// Writes the values or the keys of a sink's rows in their format.
import { BadRow } from '../../formats/avro-writer.ts';
import { optionNames, type RecordPart } from '../../formats/value-format.ts';
import type { AvroSpec } from '../../graph/format-spec.ts';
import { type AvroSinkEvents, AvroRowFormat } from '../../registry/row-format.ts';
import { described } from '../../values/kind.ts';
import { rowText } from '../../formats/row-text.ts';
import type { Value } from './batch-builder.ts';

export type WrittenFormat = 'json' | 'string' | 'bytes' | 'avro';
export interface PartSpec {
  readonly part: RecordPart;
  readonly format: WrittenFormat;
  readonly avro?: AvroSpec | undefined;
  readonly topic: string;
  readonly connection?: string | undefined;
}

export class PartWriter {
  readonly #spec: PartSpec;
  /** Absent if the format is another one. */
  readonly #avro: AvroRowFormat | undefined;

  /** Errors: those of AvroRowFormat. */
  constructor(spec: PartSpec, events: AvroSinkEvents) {
    this.#spec = spec;
    const { format, part, avro, topic, connection } = spec;
    if (format === 'avro') this.#avro = new AvroRowFormat({ schemas: 'use', ...avro, part, topic, connection }, events);
  }
  /** Only now may `write` be called. */
  get isReady(): boolean {
    return this.#avro?.isReady !== false;
  }
  /** Why the registry does not answer; undefined: nothing is wrong. */
  get trouble(): string | undefined {
    return this.#avro?.trouble;
  }
  close(): void {
    this.#avro?.close();
  }

  /** Error: BadRow, whose message is a sentence. */
  write(value: unknown): Value {
    const { format } = this.#spec;
    switch (format) {
      case 'string':
        return textOf(value) ?? this.#refuse(value, 'writes texts, numbers and the like');
      case 'json':
        return rowText(value) ?? this.#refuse(value, 'writes what JSON has a text for');
      case 'bytes':
        return value instanceof Uint8Array ? value : this.#refuse(value, 'writes a Uint8Array');
      case 'avro':
        return this.#avro!.bytesOf(value);
    }
  }
  #refuse(value: unknown, why: string): never {
    const { format, part } = this.#spec;
    throw new BadRow(
      `${part === 'key' ? 'Its key' : 'It'} is ${described(value)}; ${optionNames[part].format} "${format}" ${why}.`,
    );
  }
}

/** undefined: an object has no text of its own. */
function textOf(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
