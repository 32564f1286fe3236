// The output of an operator with stages fused behind it: records run through the stages, everything
// else goes on as it is.
import type { Output } from '../contract/operator.ts';
import type { Collector } from './collector.ts';

export class StagedOutput implements Output {
  readonly #collector: Collector;
  readonly emit: (value: unknown, timestamp: number) => void;
  constructor(collector: Collector, emit: (value: unknown, timestamp: number) => void) {
    this.#collector = collector;
    this.emit = emit;
  }
  get full(): boolean {
    return this.#collector.full;
  }
  emitTo(port: string, value: unknown, timestamp: number): void {
    this.#collector.emitTo(port, value, timestamp);
  }
  hasReader(port: string): boolean {
    return this.#collector.hasReader(port);
  }
  get timeMargin(): number {
    return this.#collector.timeMargin;
  }
  watermark(time: number): void {
    this.#collector.watermark(time);
  }
  idle(): void {
    this.#collector.idle();
  }
  active(): void {
    this.#collector.active();
  }
  finish(): void {
    this.#collector.finish();
  }
}
