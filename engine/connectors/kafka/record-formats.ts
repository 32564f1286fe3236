// The formats of a source's records: opens them, names the format that was found, and knows which
// partitions wait for a schema. Such a partition is not read until a schema has come; the others
// are.
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type { FoundKind } from '../../formats/found-format.ts';
import { KeyReader } from './key-reader.ts';
import { MetaDecoder } from './meta-decoder.ts';
import type { OpenChunk } from './open-chunk.ts';
import { RecordDecoder } from './record-decoder.ts';
import { type ShownForm, TableDecoder } from './table-decoder.ts';

/** Part of the source's snapshot. */
export interface FormatsState {
  /** Of a table: how keys are written, when a record has shown it. */
  readonly keyForm?: ShownForm;
  /** The format that the first records have shown. */
  readonly found?: FoundKind;
  /** And that of their keys. */
  readonly foundKeys?: FoundKind;
}

export class RecordFormats {
  readonly decoder: RecordDecoder | TableDecoder | MetaDecoder;
  readonly #values: RecordDecoder;
  readonly #keys: KeyReader;
  /** The names of splits. */
  readonly #held = new Set<string>();
  #stops: (() => void)[] = [];

  constructor(parameters: NodeOf<'kafka'>['parameters'], functions: FunctionTable, name: string) {
    const { tableKey, meta, keyFormat, connection, integers } = parameters;
    this.#values = new RecordDecoder(parameters, functions, name);
    this.#keys = new KeyReader(keyFormat, connection);
    if (tableKey !== undefined) this.decoder = new TableDecoder(tableKey, this.#values, this.#keys, integers);
    else this.decoder = meta ? new MetaDecoder(this.#values, this.#keys) : this.#values;
  }

  /** `onSchema` is called when partitions may be read again. Errors: those of openFormat. */
  open(onSchema: () => void): void {
    for (const format of [this.#values, this.#keys]) {
      format.open();
      const stop = format.watch(() => {
        this.#held.clear();
        onSchema();
      });
      this.#stops.push(stop);
    }
  }
  close(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }
  restore({ keyForm, found, foundKeys }: FormatsState): void {
    if (this.decoder instanceof TableDecoder) this.decoder.form = keyForm;
    this.#values.restore(found);
    this.#keys.restore(foundKeys);
  }
  snapshot(): FormatsState {
    const { found } = this.#values;
    const { found: foundKeys } = this.#keys;
    const keyForm = this.decoder instanceof TableDecoder ? this.decoder.form : undefined;
    return { ...(keyForm && { keyForm }), ...(found && { found }), ...(foundKeys && { foundKeys }) };
  }

  /** A chunk is opened: its first records may show the format. */
  look({ chunk, text }: OpenChunk): void {
    const { lengths, count, keys } = chunk.columns;
    this.#values.look(text, lengths, count);
    if (keys) this.#keys.look(keys, count);
  }
  /**
   * The record that was taken last needs a schema that is being fetched. The chunk goes back to it:
   * to the place of its value and of its key. Its decoder has gone back to its headers.
   */
  hold(open: OpenChunk, bytesAt: number, keysAt: number): void {
    open.at--;
    open.bytesAt = bytesAt;
    open.keysAt = keysAt;
    this.#held.add(open.state.name);
  }
  isHeld(split: string): boolean {
    return this.#held.size > 0 && this.#held.has(split);
  }
  /** Why a partition waits, if it takes longer than an answer of the registry. */
  get waiting(): string | undefined {
    const trouble = this.#held.size > 0 ? (this.#values.trouble ?? this.#keys.trouble) : undefined;
    return trouble && `${trouble.replace(/\.?$/, ';')} trying again`;
  }
  /** For the source's status. */
  status(): { readonly format?: string; readonly note?: string } {
    const { about: values, note } = this.#values;
    const { about: keys } = this.#keys;
    const parts = [values, keys === undefined ? undefined : `keys: ${keys}`];
    const format = parts.filter((part) => part !== undefined).join(', ');
    return { ...(format !== '' && { format }), ...note };
  }
}
