// The watermark generator of a source, by its bound as users write it.
import { boundedOutOfOrdernessMillis } from '../time/bounded-out-of-orderness.ts';
import { parseDuration } from '../time/duration.ts';
import type * as S from './surface.ts';

export const boundedOutOfOrderness: typeof S.boundedOutOfOrderness = (bound) =>
  boundedOutOfOrdernessMillis(parseDuration(bound, 'The bound of boundedOutOfOrderness()'));
