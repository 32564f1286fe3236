// Assigns a time to its windows: tumbling and sliding windows, of event or processing time. Bounds
// are [start, end).
import { SluiceError } from '../errors/error.ts';
import type { AlignedSpec } from '../graph/window-spec.ts';

/** A tumbling window slides by its size. */
export interface Assigner {
  readonly sizeMillis: number;
  readonly slideMillis: number;
  readonly offsetMillis: number;
}
export interface WindowRange {
  readonly start: number;
  readonly end: number;
}

/** The assigner of a spec. Throws for an invalid spec. */
export function assignerOf(spec: AlignedSpec): Assigner {
  const { sizeMillis, offsetMillis } = spec;
  const slideMillis = spec.kind === 'tumbling' ? sizeMillis : spec.slideMillis;
  const limit = spec.kind === 'tumbling' ? 'size' : 'slide';
  if (!(Number.isSafeInteger(sizeMillis) && sizeMillis > 0))
    throw badWindow(spec, `its size is ${sizeMillis} ms, and a window needs at least 1 whole ms`);
  if (!(Number.isSafeInteger(slideMillis) && slideMillis > 0))
    throw badWindow(spec, `its slide is ${slideMillis} ms, and it must move by at least 1 whole ms`);
  if (!(Number.isSafeInteger(offsetMillis) && Math.abs(offsetMillis) < slideMillis))
    throw badWindow(
      spec,
      `its offset is ${offsetMillis} ms, and it must be shorter than the ${limit} of ${slideMillis} ms`,
    );
  return { sizeMillis, slideMillis, offsetMillis };
}

function badWindow(spec: AlignedSpec, why: string): SluiceError {
  return new SluiceError('bad-window', `The ${spec.kind} window is invalid: ${why}.`);
}

/**
 * Start of the newest window that has begun at `timestamp`. Correct for negative times and offsets
 * too.
 */
export function windowStart(timestamp: number, { slideMillis, offsetMillis }: Assigner): number {
  return Math.floor((timestamp - offsetMillis) / slideMillis) * slideMillis + offsetMillis;
}

/** Newest first. With slide > size there are gaps, so a time may belong to no window. */
export function windowsOf(timestamp: number, assigner: Assigner): WindowRange[] {
  const { sizeMillis, slideMillis } = assigner;
  const windows: WindowRange[] = [];
  for (let start = windowStart(timestamp, assigner); start > timestamp - sizeMillis; start -= slideMillis)
    windows.push({ start, end: start + sizeMillis });
  return windows;
}
