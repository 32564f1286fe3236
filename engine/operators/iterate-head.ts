// The head of an iteration: new elements and those that come back enter the body here, what comes back first.
//
// Without `maxRounds` elements of all rounds mix, and only the end of the input waits until the loop is empty. With it the head works in waves: it lets in
// some new elements, waits until the body is quiet, lets in what has come back as the next round, and so on until nothing comes back or the last round is
// over. So every operator may stand in the body, and none has to know which round an element is in.
import type { NodeOf } from '../graph/plan.ts';
import { freezeElements } from '../state/freeze.ts';
import type { Loop } from './loop.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../contract/operator.ts';

export class IterateHeadOperator implements Operator {
  at = 0;
  readonly #loop: Loop;
  readonly #maxRounds: number;
  #context!: OperatorContext;
  /** Of the wave at work; 0: there is none. */
  #round = 0;
  /** Of this round's elements, those that have come back and have not gone out yet. */
  #toEmit = 0;
  /** New elements up to here are in the wave at work. */
  #admitted = 0;

  constructor(node: NodeOf<'iterateHead'>, loop: Loop) {
    this.#loop = loop;
    this.#maxRounds = node.parameters.maxRounds ?? Infinity;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    this.#loop.attach(() => context.wake());
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (from === 0 && this.#admitted === 0 && this.#context.freeze) freezeElements(batch, from);
    if (!this.#goOn()) return from;
    let done = from;
    if (this.#admitted > from) {
      done = this.#admitted;
      this.#admitted = 0;
      if (done === batch.length) return done;
    }
    const admitted = this.#admit(batch, done);
    if (this.#maxRounds === Infinity) return admitted;
    this.#admitted = admitted;
    this.#round = 1;
    this.#loop.awaitQuiet();
    return done;
  }
  #admit(batch: Batch, from: number): number {
    const { output } = this.#context;
    for (let i = from; i < batch.length; i++) {
      this.at = i;
      output.emit(batch.values[i], batch.timestamps[i]!);
      if (output.full) return i + 1;
    }
    return batch.length;
  }
  /** Something has come back, or the body is quiet. */
  tick(): boolean {
    return this.#goOn();
  }
  advance(watermark: number): boolean {
    if (watermark < Infinity) return true;
    for (;;) {
      if (!this.#goOn() || !this.#isQuiet()) return false;
      if (this.#loop.size === 0) return true;
    }
  }

  /** What has come back goes out. False: there is no room, or the wave at work is not over. */
  #goOn(): boolean {
    if (this.#maxRounds === Infinity) {
      this.#toEmit = this.#loop.size;
      return this.#emit();
    }
    for (;;) {
      if (!this.#emit()) return false;
      if (this.#round > 0 && !this.#isQuiet()) return false;
      if (this.#loop.size === 0) {
        this.#round = 0;
        return true;
      }
      // What a timer of the body sent back begins a wave of its own.
      if (++this.#round > this.#maxRounds) {
        this.#loop.clear();
        this.#round = 0;
        return true;
      }
      this.#toEmit = this.#loop.size;
    }
  }
  #emit(): boolean {
    const { output } = this.#context;
    for (; this.#toEmit > 0; this.#toEmit--) {
      if (output.full) return false;
      const { value, timestamp } = this.#loop.next()!;
      output.emit(value, timestamp);
    }
    return true;
  }
  #isQuiet(): boolean {
    if (this.#loop.isQuiet()) return true;
    this.#loop.awaitQuiet();
    return false;
  }

  snapshot(writer: StateWriter): void {
    writer.value({ returning: this.#loop.beginLog() });
  }
  restore(reader: StateReader): void {
    this.#loop.restore(reader);
  }
  status(): OperatorStatus {
    return { entries: this.#loop.size };
  }
  close(): void {
    this.#loop.close();
  }
}
