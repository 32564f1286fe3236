// Files as a sink. Rows are appended as text, and are written before a barrier passes. The snapshot
// has the length of each file, and a restore cuts the file to it. So rows after the snapshot are
// written again, but stand in the file only once.
import { appendFileSync, existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../contract/operator.ts';
import { described } from '../values/kind.ts';
import { refuseObstacle } from '../values/leaving.ts';
import { refusePromise } from '../values/promise.ts';
import { rowText } from './row-text.ts';

interface OpenFile {
  readonly path: string;
  bytes: number;
  /** Texts that are not in the file yet, and their total length. */
  waiting: string[];
  waitingLength: number;
  /** The columns of a CSV file: the fields of its first row. */
  columns: readonly string[] | undefined;
}
interface Saved {
  readonly files: readonly (readonly [partition: string, bytes: number, columns: readonly string[] | undefined])[];
}

const longestWaiting = 64 << 10;
/** The longest time until a row is in the file. */
const writeEveryMillis = 1000;

export class FileSink implements Operator {
  at = 0;
  readonly #parameters: NodeOf<'fileSink'>['parameters'];
  readonly #partitionOf: ((element: unknown) => unknown) | undefined;
  readonly #files = new Map<string, OpenFile>();
  #context!: OperatorContext;
  #isWaiting = false;

  constructor(node: NodeOf<'fileSink'>, functions: FunctionTable) {
    this.#parameters = node.parameters;
    const { partitionBy } = this.#parameters;
    this.#partitionOf = partitionBy && functions.get(partitionBy.fn);
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, clock } = this.#context;
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      this.#take(batch.values[i]);
      if (output.full) return i + 1;
    }
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#context.wakeAt(clock.now() + writeEveryMillis);
    }
    return batch.length;
  }
  #take(row: unknown): void {
    const file = this.#fileOf(this.#partitionOf ? this.#partitionName(row) : '');
    const text = this.#parameters.format === 'csv' ? csvText(file, row) : jsonText(row);
    file.waiting.push(text);
    file.waitingLength += text.length;
    if (file.waitingLength > longestWaiting) write(file);
  }
  tick(): boolean {
    this.#isWaiting = false;
    return this.flush();
  }
  flush(): boolean {
    for (const file of this.#files.values()) write(file);
    return true;
  }

  #fileOf(partition: string): OpenFile {
    const known = this.#files.get(partition);
    if (known) return known;
    const path = this.#pathOf(partition);
    mkdirSync(dirname(path), { recursive: true });
    // Rows of an earlier job would look like rows of this one.
    writeFileSync(path, '');
    return this.#add(partition, path, 0, undefined);
  }
  #add(partition: string, path: string, bytes: number, columns: readonly string[] | undefined): OpenFile {
    const file: OpenFile = { path, bytes, waiting: [], waitingLength: 0, columns };
    this.#files.set(partition, file);
    return file;
  }
  /** totals.jsonl, or totals/CH.jsonl with partitionBy. */
  #pathOf(partition: string): string {
    const { path } = this.#parameters;
    if (!this.#partitionOf) return path;
    const extension = extname(path);
    return join(path.slice(0, path.length - extension.length), partition + extension);
  }
  #partitionName(row: unknown): string {
    const name = this.#partitionOf!(row);
    if (typeof name === 'string' && /^[^/\\\0]+$/.test(name) && !/^\.+$/.test(name)) return name;
    throw new SluiceError(
      'bad-partition',
      `partitionBy of toFile() gave ${described(name)}, which cannot be the name of a file. Give a text without slashes.`,
    );
  }

  snapshot(writer: StateWriter): void {
    const files = [...this.#files].map(([name, { bytes, columns }]) => [name, bytes, columns] as const);
    writer.value({ files } satisfies Saved);
  }
  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    for (const [partition, bytes, columns] of saved?.files ?? []) {
      const path = this.#pathOf(partition);
      if (!existsSync(path) && bytes > 0)
        throw new SluiceError(
          'no-file',
          `${path} no longer exists, but ${bytes} bytes were written to it. Run its cell again.`,
        );
      if (bytes > 0) truncateSync(path, bytes);
      else writeFileSync(path, '');
      this.#add(partition, path, bytes, columns);
    }
  }
  close(): void {
    this.flush();
  }
}

function write(file: OpenFile): void {
  if (file.waiting.length === 0) return;
  const bytes = Buffer.from(file.waiting.join(''));
  file.waiting = [];
  file.waitingLength = 0;
  appendFileSync(file.path, bytes);
  file.bytes += bytes.length;
}

function jsonText(row: unknown): string {
  const text = rowText(row);
  if (text !== undefined) return `${text}\n`;
  throw new SluiceError('bad-row', `toFile() got ${described(row)}, which has no JSON text.`);
}

/** Writes dates as ISO-8601, and other objects as JSON. */
const cast = {
  date: (value: Date): string => value.toISOString(),
  boolean: String,
  object: (value: object): string => rowText(value) ?? '',
};
function csvText(file: OpenFile, row: unknown): string {
  refusePromise(row, 'The function that made this row');
  if (row === null || typeof row !== 'object' || Array.isArray(row))
    throw new SluiceError(
      'bad-row',
      `toFile() writes CSV from objects, and got ${described(row)}. Map it to an object first.`,
    );
  refuseObstacle(row, 'toFile() cannot write a row');
  const header = file.columns === undefined;
  const columns = (file.columns ??= Object.keys(row));
  const other = Object.keys(row).find((name) => !columns.includes(name));
  if (other !== undefined)
    throw new SluiceError(
      'bad-row',
      `A row has the field "${other}", which the header of ${file.path} does not name: ${columns.join(', ')}. Map all rows to the same fields.`,
    );
  return stringify([row], { header, columns: [...columns], cast });
}
