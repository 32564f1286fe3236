// The place where an executor is, as a few numbers in shared memory. Another thread can read them
// even if the executor does not answer.
//
//   place  0: between two calls of user code    > 0: a turn of the operator with that number    < 0: the evaluation of run −place
//   since  when that began, on the clock both threads share (milliseconds since the epoch)
export interface Place {
  readonly place: number;
  readonly millis: number;
}

export class SharedPlace {
  readonly memory: SharedArrayBuffer;
  readonly #place: Int32Array;
  readonly #since: Float64Array;
  constructor(memory = new SharedArrayBuffer(16)) {
    this.memory = memory;
    this.#place = new Int32Array(memory, 0, 1);
    this.#since = new Float64Array(memory, 8, 1);
  }
  enter(place: number): void {
    this.#since[0] = Date.now();
    Atomics.store(this.#place, 0, place);
  }
  leave(): void {
    Atomics.store(this.#place, 0, 0);
  }
  read(): Place {
    return { place: Atomics.load(this.#place, 0), millis: Date.now() - this.#since[0]! };
  }
}
