// The bounded-out-of-orderness watermark of one partition: no more records are expected that are
// older than the newest record by more than the bound.

interface BoundedOutOfOrderness {
  onEvent(timestamp: number): void;
  onPeriodic(): number;
}

export function boundedOutOfOrdernessMillis(boundMillis: number): BoundedOutOfOrderness {
  let newest = -Infinity;
  return {
    onEvent: (timestamp) => {
      if (timestamp > newest) newest = timestamp;
    },
    onPeriodic: () => watermarkAfter(newest, boundMillis),
  };
}

/** How often a source emits its watermark, in milliseconds of processing time. */
export const emitEveryMillis = 200;

export function watermarkAfter(newest: number, boundMillis: number): number {
  return newest - boundMillis - 1;
}
