// Window assigners as plan data. Sizes and offsets are checked here, so that whoever runs a window need not.
import { notYet, SluiceError } from '../error.ts';
import { parseDuration, parseSignedDuration } from '../time/duration.ts';
import type { WindowSpec } from '../windows/assigner.ts';
import { oneOf, readOptions } from './options.ts';
import { describe } from './parameters.ts';
import type * as S from './surface.ts';

class PlannedWindowAssigner implements S.WindowAssigner<unknown> {
  readonly kind = 'window';
  readonly spec: WindowSpec;
  constructor(spec: WindowSpec) {
    this.spec = spec;
  }
}

/** What `tumbling()` or `sliding()` said. */
export function windowSpecOf(window: unknown): WindowSpec {
  if (window instanceof PlannedWindowAssigner) return window.spec;
  throw new SluiceError(
    'bad-window',
    `A window is made by tumbling("1m") or sliding("10m", "1m"), not ${describe(window)}.`,
  );
}

export const tumbling: typeof S.tumbling = (size, options) => {
  const sizeMillis = wholeMillis('tumbling() size', size);
  return new PlannedWindowAssigner({
    kind: 'tumbling',
    sizeMillis,
    ...timeAndOffset('tumbling()', options, sizeMillis, 'size'),
  });
};

export const sliding: typeof S.sliding = (size, slide, options) => {
  const sizeMillis = wholeMillis('sliding() size', size);
  const slideMillis = wholeMillis('sliding() slide', slide);
  return new PlannedWindowAssigner({
    kind: 'sliding',
    sizeMillis,
    slideMillis,
    ...timeAndOffset('sliding()', options, slideMillis, 'slide'),
  });
};

export const session: typeof S.session = () => notYet('session windows');
export const countWindow: typeof S.countWindow = () => notYet('count windows');
export const globalWindow: typeof S.globalWindow = () => notYet('global windows');
export const customWindow: typeof S.customWindow = () => notYet('custom windows');

export const trigger: typeof S.trigger = {
  eventTime: () => notYet('triggers'),
  processingTime: () => notYet('triggers'),
  early: () => notYet('triggers'),
  count: () => notYet('triggers'),
  delta: () => notYet('triggers'),
  purging: () => notYet('triggers'),
  custom: () => notYet('triggers'),
};
export const evictor: typeof S.evictor = {
  count: () => notYet('evictors'),
  time: () => notYet('evictors'),
  delta: () => notYet('evictors'),
};

function wholeMillis(what: string, duration: unknown): number {
  const millis = parseDuration(duration, what);
  if (millis > 0 && Number.isInteger(millis)) return millis;
  const shown = JSON.stringify(duration);
  throw new SluiceError('bad-window', `${what} is ${shown}. A window needs at least 1ms, in whole milliseconds.`);
}

function timeAndOffset(where: string, options: unknown, limit: number, limitName: string) {
  const { time = 'event', offset = '0ms' } = readOptions(where, options, ['time', 'offset']);
  if (oneOf(`The time of ${where}`, time, ['event', 'processing']) === 'processing') notYet('processing-time windows');
  const offsetMillis = parseSignedDuration(offset, `${where} offset`);
  if (Math.abs(offsetMillis) >= limit || !Number.isInteger(offsetMillis))
    throw new SluiceError(
      'bad-window',
      `${where} offset is ${JSON.stringify(offset)}. It must be shorter than the ${limitName}, in whole milliseconds.`,
    );
  return { offsetMillis, time: 'event' as const };
}
