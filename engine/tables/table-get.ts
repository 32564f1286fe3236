// get: emits the row of one key, as one element, when the table's input has ended.
import type { NodeOf } from '../graph/plan.ts';
import { keyText } from '../state/key-text.ts';
import type { Change } from './change.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

export class TableGetOperator implements Operator {
  at = 0;
  /** As a text, so that the plan can hold it. */
  readonly #key: string;
  #row: unknown;
  #timestamp = 0;
  #context!: OperatorContext;

  constructor(node: NodeOf<'tableGet'>) {
    this.#key = node.parameters.key;
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch): number {
    for (let i = 0; i < batch.length; i++) {
      this.at = i;
      const { key, row } = batch.values[i] as Change;
      if (keyText(key) !== this.#key) continue;
      this.#row = row;
      this.#timestamp = batch.timestamps[i]!;
    }
    return batch.length;
  }
  end(): boolean {
    if (this.#row !== undefined) this.#context.output.emit(this.#row, this.#timestamp);
    this.#row = undefined;
    return true;
  }
  snapshot(writer: StateWriter): void {
    writer.value({ row: this.#row, timestamp: this.#timestamp });
  }
  restore(reader: StateReader): void {
    const saved = reader.value() as { readonly row: unknown; readonly timestamp: number } | undefined;
    this.#row = saved?.row;
    this.#timestamp = saved?.timestamp ?? 0;
  }
  status(): OperatorStatus {
    return { entries: this.#row === undefined ? 0 : 1 };
  }
}
