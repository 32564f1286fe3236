// assignWindows(): the windows that an assigner gives an element, for vectors and user tests.
import type { UserFunction } from '../api/parameters.ts';
import { declaredWindow } from '../api/windows.ts';
import { assignmentOf } from '../windows/assignment.ts';
import type * as S from './surface.ts';

/**
 * The windows in the order of assignment; of sliding windows, the newest first. For windows of
 * processing time, `timestamp` is the time of the clock.
 */
export const assignWindows: typeof S.assignWindows = (window, element, timestamp) =>
  assignmentOf(
    declaredWindow(window).spec,
    ({ run }: UserFunction) => run as (...given: never[]) => unknown,
    'assignWindows()',
  )
    .assign(element, timestamp)
    .map(({ start, end }) => ({ windowStart: new Date(start), windowEnd: new Date(end) }));
