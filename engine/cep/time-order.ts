// Elements of one key that wait for the watermark, ordered by timestamp, then by arrival. Most
// arrive in order, so an insertion moves few elements.

export class TimeOrder {
  #elements: unknown[] = [];
  #timestamps: number[] = [];
  /** Number of elements at the front that have been taken. */
  #taken = 0;

  get size(): number {
    return this.#elements.length - this.#taken;
  }
  /** Infinity when there is none. */
  get nextTimestamp(): number {
    return this.size > 0 ? this.#timestamps[this.#taken]! : Infinity;
  }
  add(element: unknown, timestamp: number): void {
    let at = this.#timestamps.length;
    while (at > this.#taken && this.#timestamps[at - 1]! > timestamp) at--;
    if (at === this.#timestamps.length) {
      this.#elements.push(element);
      this.#timestamps.push(timestamp);
      return;
    }
    this.#elements.splice(at, 0, element);
    this.#timestamps.splice(at, 0, timestamp);
  }
  take(): unknown {
    const element = this.#elements[this.#taken++];
    if (this.#taken === this.#elements.length || (this.#taken > 64 && this.#taken * 2 > this.#elements.length)) {
      this.#elements = this.#elements.slice(this.#taken);
      this.#timestamps = this.#timestamps.slice(this.#taken);
      this.#taken = 0;
    }
    return element;
  }
  columns(): { readonly elements: readonly unknown[]; readonly timestamps: readonly number[] } {
    return { elements: this.#elements.slice(this.#taken), timestamps: this.#timestamps.slice(this.#taken) };
  }
}
