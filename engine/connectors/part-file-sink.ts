// Files as a sink, exactly once: a folder of part files. The rows of a transaction are in hidden
// files until its checkpoint is complete; then the files get their names. So a reader of the folder
// sees each row once, and no row that a restart takes back. Flink's FileSink does the same.
//
// The transactions are those of `TwoPhaseSink`; part-files.ts has what they do on disk.
import { extname } from 'node:path';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import { partitionNames } from './partition-names.ts';
import { type PartDisk, realPartDisk } from './part-disk.ts';
import { type FoundParts, type OpenPart, type Part, PartFiles, tidyFolders } from './part-files.ts';
import { drawnSink } from './part-names.ts';
import { type CsvFile, csvLines, jsonLine } from './row-lines.ts';
import { TwoPhaseSink } from './two-phase-sink.ts';

/** A transaction that takes rows: its part by partition. */
interface Handle {
  readonly number: number;
  readonly parts: Map<string, OpenPart>;
}
interface Saved {
  /** See part-names.ts. */
  readonly sink: string;
  /** Number of the next transaction. */
  readonly next: number;
  /** Of CSV files, by partition: all parts have the same. */
  readonly columns: readonly (readonly [partition: string, columns: readonly string[] | undefined])[];
}

export class PartFileSink implements Operator {
  readonly #parameters: NodeOf<'fileSink'>['parameters'];
  readonly #partitionOf: ((element: unknown) => string) | undefined;
  readonly #disk: PartDisk;
  readonly #root: string;
  readonly #extension: string;
  readonly #transactions: TwoPhaseSink;
  readonly #csv = new Map<string, CsvFile>();
  #context!: OperatorContext;
  #sink = drawnSink();
  #next = 1;
  #files!: PartFiles;
  /** The folder has been asked for its owner. */
  #hasAsked = false;
  #written = 0;
  #writtenAt: number | undefined;
  readonly #notes: string[] = [];

  constructor(node: NodeOf<'fileSink'>, functions: FunctionTable, disk: PartDisk = realPartDisk) {
    this.#parameters = node.parameters;
    const { partitionBy, path, format } = node.parameters;
    this.#partitionOf = partitionBy && partitionNames(functions.get(partitionBy.fn));
    this.#disk = disk;
    const extension = extname(path);
    this.#root = path.slice(0, path.length - extension.length);
    this.#extension = extension === '' ? `.${format}` : extension;
    this.#transactions = new TwoPhaseSink({
      begin: () => this.#begin(),
      write: (handle, row) => this.#write(handle as Handle, row),
      preCommit: (handle) => this.#files.finish([...(handle as Handle).parts.values()]),
      commit: (parts) => this.#commit(parts as readonly Part[]),
      abort: (handle) => this.#files.discard((handle as Handle).parts.values()),
    });
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#transactions.open(context);
    this.#open();
  }
  #open(): void {
    this.#files = new PartFiles({ root: this.#root, extension: this.#extension, sink: this.#sink }, this.#disk);
  }

  // ------------------------------------------------------------ rows

  get at(): number {
    return this.#transactions.at;
  }
  process(input: 0 | 1, batch: Batch, from: number): number {
    return this.#transactions.process(input, batch, from);
  }
  #begin(): Handle | Promise<Handle> {
    const begun = (): Handle => ({ number: this.#next++, parts: new Map() });
    if (this.#hasAsked) return begun();
    return this.#files.refuseOther().then(() => {
      this.#hasAsked = true;
      return begun();
    });
  }
  #write({ number, parts }: Handle, row: unknown): void {
    const partition = this.#partitionOf?.(row) ?? '';
    let part = parts.get(partition);
    if (!part) parts.set(partition, (part = this.#files.begin(partition, number)));
    part.add(this.#parameters.format === 'csv' ? this.#csvLines(partition, part, row) : jsonLine(row));
  }
  /** Each part has a header. All parts of a partition have the columns of its first row. */
  #csvLines(partition: string, part: OpenPart, row: unknown): string {
    let csv = this.#csv.get(partition);
    if (!csv) this.#csv.set(partition, (csv = { path: part.folder, columns: undefined }));
    return csvLines(csv, row, !part.hasRows);
  }

  // ------------------------------------------------------------ transactions

  preCommit(checkpoint: number): boolean {
    return this.#transactions.preCommit(checkpoint);
  }
  complete(checkpoint: number): void {
    this.#transactions.complete(checkpoint);
  }
  get hasUncommitted(): boolean {
    return this.#transactions.hasUncommitted;
  }
  async #commit(parts: readonly Part[]): Promise<void> {
    const gone = await this.#files.commit(parts);
    this.#written += parts.reduce((sum, { rows }) => sum + rows, 0);
    this.#writtenAt = this.#context.clock.now();
    for (const { name, folder } of gone)
      this.#notes.push(
        `${name} is no longer in ${folder}. Its checkpoint was complete before this start, so it counts as moved away.`,
      );
  }

  // ------------------------------------------------------------ state

  snapshot(writer: StateWriter): void {
    this.#transactions.snapshot(writer);
    const columns = [...this.#csv].map(([partition, csv]) => [partition, csv.columns] as const);
    writer.value({ sink: this.#sink, next: this.#next, columns } satisfies Saved);
  }
  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#sink = saved.sink;
    for (const [partition, columns] of saved.columns) this.#csv.set(partition, { path: this.#root, columns });
    this.#open();
    this.#transactions.restore(reader);
    const pending = (reader.list() ?? []).flatMap((item) => (item as readonly [number, readonly Part[]])[1]);
    const place = { root: this.#root, extension: this.#extension, sink: saved.sink };
    const found = tidyFolders(place, pending, saved.next, this.#disk);
    this.#next = Math.max(saved.next, found.lastNumber + 1);
    this.#noteDoubles(found);
  }
  /** A restore of the newest checkpoint finds none: a commit comes after its checkpoint. */
  #noteDoubles({ newer }: FoundParts): void {
    if (newer.length === 0) return;
    const names = newer.length === 1 ? newer[0]! : `${newer[0]!} to ${newer.at(-1)!}`;
    this.#notes.push(
      `${this.#root} has rows of after the checkpoint that was restored, and they are written again: ${newer.length} ` +
        `part${newer.length === 1 ? '' : 's'}, ${names}. Remove them, unless a job that still runs has written them.`,
    );
  }

  status(): OperatorStatus {
    const { waiting, ...status } = this.#transactions.status();
    const [writtenAt, notes] = [this.#writtenAt, this.#notes.slice(-3)];
    return {
      ...status,
      rowsWritten: this.#written,
      ...(waiting !== undefined && { waiting }),
      ...(writtenAt !== undefined && { writtenAt }),
      ...(notes.length > 0 && { note: notes.join(' ') }),
    };
  }
  close(): void {
    this.#transactions.close();
  }
}
