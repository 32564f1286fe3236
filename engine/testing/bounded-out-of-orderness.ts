// boundedOutOfOrderness(): the watermark generator of a source, with the bound as a duration text.
import { boundedOutOfOrdernessMillis } from '../time/bounded-out-of-orderness.ts';
import { parseDuration } from '../time/duration.ts';
import type * as S from './surface.ts';

export const boundedOutOfOrderness: typeof S.boundedOutOfOrderness = (bound) =>
  boundedOutOfOrdernessMillis(parseDuration(bound, 'The bound of boundedOutOfOrderness()'));
