// The head of an iteration: new elements and returned elements enter the body here, returned ones
// first.
//
// Without `maxRounds`, elements of all rounds mix, and only the end of the input waits until the
// loop is empty. With `maxRounds`, the head works in waves: it admits some new elements, waits
// until the body is quiet, emits the returned elements as the next round, and repeats this until no
// element returns or the last round is over. So any operator may be in the body, and no operator
// has to know the round of an element.
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
  /** The round of the current wave; 0: there is no wave. */
  #round = 0;
  /** Number of returned elements of this round that are still to be emitted. */
  #toEmit = 0;
  /** New elements up to this index belong to the current wave. */
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
  /** Called when an element has returned or the body is quiet. */
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

  /** Emits the returned elements. False: there is no room, or the current wave is not over. */
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
      // Elements that a timer of the body sent back start a wave of their own.
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
    writer.orderedList(this.#loop.beginLog());
  }
  passWithoutSnapshot(): void {
    this.#loop.beginNoLog();
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
