// Files as a sink. Rows are appended as text, and are written before a barrier passes. The snapshot
// has the length of each file, and a restore cuts the file to it. So rows after the snapshot are
// written again, but stand in the file only once.
import { appendFileSync, existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { SluiceError } from '../errors/error.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import { fileSteps } from './file-errors.ts';
import { partitionNames } from './partition-names.ts';
import { csvLines, jsonLine } from './row-lines.ts';

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
  readonly #partitionOf: ((element: unknown) => string) | undefined;
  readonly #files = new Map<string, OpenFile>();
  #context!: OperatorContext;
  #isWaiting = false;
  #written = 0;
  #writtenAt: number | undefined;

  constructor(node: NodeOf<'fileSink'>, functions: FunctionTable) {
    this.#parameters = node.parameters;
    const { partitionBy } = this.#parameters;
    this.#partitionOf = partitionBy && partitionNames(functions.get(partitionBy.fn));
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
    const file = this.#fileOf(this.#partitionOf?.(row) ?? '');
    const text = this.#parameters.format === 'csv' ? csvLines(file, row) : jsonLine(row);
    file.waiting.push(text);
    file.waitingLength += text.length;
    if (file.waitingLength > longestWaiting) this.#write(file);
  }
  tick(): boolean {
    this.#isWaiting = false;
    return this.flush();
  }
  flush(): boolean {
    for (const file of this.#files.values()) this.#write(file);
    return true;
  }

  status(): OperatorStatus {
    const writtenAt = this.#writtenAt;
    return { entries: 0, rowsWritten: this.#written, ...(writtenAt !== undefined && { writtenAt }) };
  }
  #write(file: OpenFile): void {
    const rows = write(file);
    if (rows === 0) return;
    this.#written += rows;
    this.#writtenAt = this.#context.clock.now();
  }

  #fileOf(partition: string): OpenFile {
    const known = this.#files.get(partition);
    if (known) return known;
    const path = this.#pathOf(partition);
    fileSteps(path, () => {
      mkdirSync(dirname(path), { recursive: true });
      // Rows of an earlier job would look like rows of this one.
      writeFileSync(path, '');
    });
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
      fileSteps(path, () => (bytes > 0 ? truncateSync(path, bytes) : writeFileSync(path, '')));
      this.#add(partition, path, bytes, columns);
    }
  }
  close(): void {
    this.flush();
  }
}

/** Gives the number of rows. */
function write(file: OpenFile): number {
  const rows = file.waiting.length;
  if (rows === 0) return 0;
  const bytes = Buffer.from(file.waiting.join(''));
  file.waiting = [];
  file.waitingLength = 0;
  fileSteps(file.path, () => appendFileSync(file.path, bytes));
  file.bytes += bytes.length;
  return rows;
}
