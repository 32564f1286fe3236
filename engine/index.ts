// What `import … from 'sluice'` gives: the contract of `api/surface.ts`, value by value and type by
// type.
// eslint-disable-next-line no-restricted-syntax -- the one place that gives others' exports on
export type * from './api/surface.ts';
export { file, from, generate, kafka, microBatches, table } from './api/sources.ts';
export {
  countWindow,
  customWindow,
  evictor,
  globalWindow,
  session,
  sliding,
  trigger,
  tumbling,
} from './api/windows.ts';
export {
  aggregator,
  avg,
  collect,
  count,
  countDistinct,
  first,
  last,
  max,
  maxBy,
  min,
  minBy,
  quantile,
  stddev,
  sum,
  topN,
  variance,
} from './api/aggregates.ts';
export { listState, mapState, valueState } from './api/state.ts';
export { pattern } from './api/pattern.ts';
export { backpressure, checkpoints, graph, lag, watermarks } from './api/displays.ts';
export { view } from './api/view.ts';
export { configure, param } from './api/session.ts';
export { Environment } from './runtime/environment.ts';
export { SluiceError } from './errors/error.ts';
