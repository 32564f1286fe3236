// The package's second entry, `sluice/testing`: a harness for one operator chain, and the parts
// that vectors of other engines need.
// eslint-disable-next-line no-restricted-syntax -- the one place that re-exports other modules
export type * from './surface.ts';
export { harness, harness2 } from './harness.ts';
export { runScript } from './script.ts';
export { PidRateEstimator } from '../time/pid-rate-estimator.ts';
export { assignWindows } from './assign-windows.ts';
export { boundedOutOfOrderness } from './bounded-out-of-orderness.ts';
export { PartitionWatermarks } from '../time/partition-watermarks.ts';
export { WatermarkValve } from '../time/watermark-valve.ts';
