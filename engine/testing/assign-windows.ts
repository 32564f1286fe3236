// Which windows an assigner gives an element, for vectors and tests of one's own.
import { windowSpecOf } from '../api/windows.ts';
import { assignerOf, windowsOf } from '../windows/assigner.ts';
import type * as S from './surface.ts';

/** In the order of assignment: of sliding windows, the newest first. */
export const assignWindows: typeof S.assignWindows = (window, _element, timestamp) =>
  windowsOf(timestamp, assignerOf(windowSpecOf(window))).map(({ start, end }) => ({
    windowStart: new Date(start),
    windowEnd: new Date(end),
  }));
