// Who takes memory outside of the heap: buffers and typed arrays. V8 knows who allocated an object
// of the heap, and does not know it of buffers. So the growth between the start and the end of each
// piece of user code is counted for its cell: a turn of an operator, a timer, a callback, a step
// behind an await.
//
// This costs some µs for each of them, so it begins when the thread has come near its limit.
import { createHook } from 'node:async_hooks';
import { getHeapStatistics } from 'node:v8';
import { currentBuilder } from '../../engine/api/builder.ts';

export class BufferAccount {
  #bytesByCell = new Map<string, number>();
  #before = 0;
  readonly #hook = createHook({
    before: () => this.begin(),
    after: () => this.end(currentBuilder()?.settings.group),
  });
  isOn = false;

  /** Counts from zero, or stops. */
  switch(isOn: boolean): void {
    if (isOn === this.isOn) return;
    this.isOn = isOn;
    this.#bytesByCell = new Map();
    this.begin();
    if (isOn) this.#hook.enable();
    else this.#hook.disable();
  }
  begin(): void {
    this.#before = external();
  }
  end(cell: string | undefined): void {
    const now = external();
    const grown = now - this.#before;
    this.#before = now;
    if (cell !== undefined && grown > 0) this.#bytesByCell.set(cell, (this.#bytesByCell.get(cell) ?? 0) + grown);
  }
  get taken(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#bytesByCell);
  }
}

function external(): number {
  return getHeapStatistics().external_memory;
}
