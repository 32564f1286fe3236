// The usual watermark of one partition: no record is expected that is older than the newest one seen by more than the bound.

export interface BoundedOutOfOrderness {
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

export function watermarkAfter(newest: number, boundMillis: number): number {
  return newest - boundMillis - 1;
}
