// take: the first n elements, then the end.
import type { NodeOf } from '../graph/plan.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

export class TakeOperator implements Operator {
  at = 0;
  #left: number;
  #context!: OperatorContext;
  constructor(node: NodeOf<'take'>) {
    this.#left = node.parameters.n;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#endSoon();
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output } = this.#context;
    for (let i = from; i < batch.length && this.#left > 0; i++) {
      this.at = i;
      output.emit(batch.values[i], batch.timestamps[i]!);
      this.#left--;
      if (output.full && this.#left > 0) return i + 1;
    }
    if (this.#left === 0) output.finish();
    return batch.length;
  }
  tick(): boolean {
    if (this.#left === 0) this.#context.output.finish();
    return true;
  }
  snapshot(writer: StateWriter): void {
    writer.value({ left: this.#left });
  }
  restore(reader: StateReader): void {
    this.#left = (reader.value() as { readonly left: number } | undefined)?.left ?? this.#left;
    this.#endSoon();
  }
  status(): OperatorStatus {
    return { entries: 0 };
  }
  /** No more elements are needed: the end must not wait for another element. */
  #endSoon(): void {
    if (this.#left === 0) this.#context.wake();
  }
}
