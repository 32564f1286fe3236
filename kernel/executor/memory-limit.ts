// How much memory an executor may hold, and a watch over it from the control thread.
//
// V8 alone cannot hold a thread to its limit: an allocation that is too large for it ends the whole
// process, with the kernel and all snapshots. So V8's own limit is far above, and the watch ends
// the thread before it is reached:
//
//   within the limit ──above it──► asked to collect garbage ─┬─within it again──► within the limit
//                                                            └─still above──────► exceeded
import { totalmem } from 'node:os';
import type { KeptByCell } from './kept-by-cells.ts';

/** An executor held more than it may. */
export interface MemoryEnd {
  readonly limitMegabytes: number;
  readonly heldMegabytes: number;
  /** The cell that holds most of what came near the limit. Absent: it is not known. */
  readonly holder?: string;
  /** What the engine kept for the cells then. Absent: it is not known. */
  readonly kept?: readonly KeptByCell[];
}
export function causeOf({ limitMegabytes, heldMegabytes }: MemoryEnd): string {
  return `it held ${heldMegabytes.toLocaleString('en-US')} MB, more than sluice.memory allows (${limitMegabytes} MB)`;
}
/** A look at the thread's memory: heap, and buffers outside of it. In bytes. */
export interface MemoryLook {
  readonly used_heap_size: number;
  readonly external_memory: number;
  readonly heap_size_limit: number;
}
export interface WatchedThread {
  look(): Promise<MemoryLook>;
  /** It holds more than half of what it may. */
  near(now: MemoryLook): void;
  /** It is far from its limit again. */
  far(): void;
  collectGarbage(): void;
  exceeded(end: MemoryEnd, now: MemoryLook): void;
}

const bytesInMegabyte = 1024 * 1024;
const leastMegabytes = 64;
const mostByDefault = 4096;
const lookEveryMillis = 100;
/** A thread that is asked to collect garbage has this long to do so. */
const collectMillis = 1000;
/** Above this it is ended at once: garbage that is collected grows slower. */
const excess = (limitMegabytes: number): number => limitMegabytes * 1.5 + 128;

/** Shares of the limit: above the first the thread is near to it, below the second far again. */
const nearShare = 0.5;
const farShare = 0.4;

/** V8's own limit: room for what a thread allocates between two looks, as one large array. */
export function heapLimitMegabytes(limitMegabytes: number): number {
  return limitMegabytes * 4 + 256;
}

/** The setting `sluice.memory`: SLUICE_MEMORY, in megabytes. */
export function memoryLimit(setting = process.env['SLUICE_MEMORY']): number {
  const half = Math.floor(totalmem() / bytesInMegabyte / 2);
  const wanted = setting === undefined || setting === '' ? 0 : Number(setting);
  if (Number.isFinite(wanted) && wanted > 0) return Math.max(leastMegabytes, Math.floor(wanted));
  return Math.min(mostByDefault, half);
}

export class MemoryWatch {
  readonly #thread: WatchedThread;
  readonly #limitMegabytes: number;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isNear = false;
  #askedAt: number | undefined;
  /** What the thread held at the last look. */
  heldMegabytes = 0;
  /** What it might hold then: less than was asked for, if a flag of the process says so. */
  limitMegabytes: number;

  constructor(limitMegabytes: number, thread: WatchedThread) {
    this.#limitMegabytes = limitMegabytes;
    this.limitMegabytes = limitMegabytes;
    this.#thread = thread;
  }
  start(): void {
    this.#timer = setInterval(() => void this.lookAt(performance.now()), lookEveryMillis);
    this.#timer.unref();
  }
  stop(): void {
    clearInterval(this.#timer);
  }

  /** A thread in the middle of a collection answers when that is over. */
  async lookAt(now: number): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#judge(await this.#thread.look(), now);
    } catch {
      // The thread has ended, or has not begun.
    } finally {
      this.#isLooking = false;
    }
  }
  #judge(look: MemoryLook, now: number): void {
    const { used_heap_size, external_memory, heap_size_limit } = look;
    this.heldMegabytes = Math.round((used_heap_size + external_memory) / bytesInMegabyte);
    const limit = Math.min(this.#limitMegabytes, Math.floor((heap_size_limit * 0.6) / bytesInMegabyte));
    this.limitMegabytes = limit;
    this.#comesNear(look, this.heldMegabytes / limit);
    if (this.heldMegabytes <= limit) {
      this.#askedAt = undefined;
      return;
    }
    if (this.heldMegabytes <= excess(limit)) {
      if (this.#askedAt === undefined) {
        this.#askedAt = now;
        this.#thread.collectGarbage();
        return;
      }
      if (now - this.#askedAt < collectMillis) return;
    }
    this.stop();
    this.#thread.exceeded({ limitMegabytes: limit, heldMegabytes: this.heldMegabytes }, look);
  }
  #comesNear(look: MemoryLook, share: number): void {
    if (this.#isNear ? share >= farShare : share <= nearShare) return;
    this.#isNear = !this.#isNear;
    if (this.#isNear) this.#thread.near(look);
    else this.#thread.far();
  }
}
