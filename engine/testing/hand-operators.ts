// The operators at the ends of a harness: heads that emit what the test gives, and leaves that keep
// what they receive.
import type {
  Batch,
  Operator,
  OperatorContext,
  Output as OperatorOutput,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';
import type { Output } from './surface.ts';

/** An input of the test that waits until the runtime takes it. */
export type Said =
  | { readonly kind: 'element'; readonly value: unknown; readonly timestamp: number }
  | { readonly kind: 'watermark'; readonly time: number }
  | { readonly kind: 'idle' | 'active' };

/** The head of an input. Emits the test's elements and watermarks within the room of the output. */
export class HandInput implements Operator {
  readonly generatesWatermarks = true;
  readonly #said: Said[] = [];
  #context: OperatorContext | undefined;

  #isIdle = false;
  #watermark = -Infinity;
  /**
   * The input is idle since before the snapshot that was restored. The harness repeats `idle` after
   * the restore.
   */
  idleSince: number | undefined;

  open(context: OperatorContext): void {
    this.#context = context;
  }
  say(said: Said): void {
    this.#said.push(said);
    this.#context?.wake();
  }
  process(): number {
    throw new Error('The head of a harness input has no input of its own.');
  }
  snapshot(writer: StateWriter): void {
    writer.value({ isIdle: this.#isIdle, watermark: this.#watermark });
  }
  restore(reader: StateReader): void {
    const { isIdle, watermark } = reader.value() as { readonly isIdle: boolean; readonly watermark: number };
    this.#watermark = watermark;
    if (isIdle) this.idleSince = watermark;
  }
  tick(): boolean {
    const output: OperatorOutput = this.#context!.output;
    while (this.#said.length > 0 && !output.full) {
      const next = this.#said.shift()!;
      switch (next.kind) {
        case 'element':
          output.emit(next.value, next.timestamp);
          break;
        case 'watermark':
          // A watermark makes an idle input active.
          if (this.#isIdle) output.active();
          this.#isIdle = false;
          this.#watermark = Math.max(this.#watermark, next.time);
          output.watermark(next.time);
          break;
        case 'idle':
          this.#isIdle = true;
          output.idle();
          break;
        case 'active':
          this.#isIdle = false;
          output.active();
          break;
      }
    }
    return this.#said.length === 0;
  }
}

/**
 * A leaf that keeps everything it receives, in order. `blocked` simulates a downstream without
 * room.
 */
export class HandOutput<R> implements Operator {
  readonly items: Output<R>[] = [];
  blocked = false;
  #context: OperatorContext | undefined;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.blocked) return from;
    for (let i = from; i < batch.length; i++)
      this.items.push({ element: batch.values[i] as R, timestamp: batch.timestamps[i]! });
    return batch.length;
  }
  advance(watermark: number): boolean {
    if (this.blocked) return false;
    this.items.push({ watermark });
    return true;
  }
  unblock(): void {
    this.blocked = false;
    this.#context?.wake();
  }
  take(): Output<R>[] {
    return this.items.splice(0);
  }
  forgetMarks(): void {
    this.items.splice(0, Infinity, ...this.items.filter((item) => 'element' in item));
  }
}
