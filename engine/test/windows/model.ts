// The rules of tumbling and sliding windows of event time in their plainest form. Tests compare the
// window operators with it.
import { windowsOf, type Assigner } from '../../windows/assigner.ts';
import type { Step, Timed } from '../operators/drive.ts';

export interface ModelGiven {
  /** Elements of each firing. */
  readonly fired: {
    readonly key: string;
    readonly start: number;
    readonly end: number;
    readonly elements: unknown[];
  }[];
  readonly late: Timed[];
}
interface Window {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly elements: unknown[];
}

/** A gap between windows loses an element without it being late. */
export function modelOfWindows(
  assigner: Assigner,
  lateness: number,
  keyOf: (element: unknown) => string,
  steps: readonly Step[],
): { readonly given: ModelGiven[]; readonly left: number } {
  let watermark = -Infinity;
  let windows: Window[] = [];
  const given = steps.map((step): ModelGiven => {
    const now: ModelGiven = { fired: [], late: [] };
    if ('watermark' in step) {
      const before = watermark;
      watermark = Math.max(watermark, step.watermark);
      const due = windows.filter(({ end }) => end - 1 > before && end - 1 <= watermark);
      for (const window of due.sort((a, b) => a.end - b.end))
        now.fired.push({ ...window, elements: [...window.elements] });
      windows = windows.filter(({ end }) => end - 1 + lateness > watermark);
    } else if ('records' in step) {
      for (const [element, timestamp] of step.records) {
        const ranges = windowsOf(timestamp, assigner);
        const inTime = ranges.filter(({ end }) => end - 1 + lateness > watermark);
        if (ranges.length > 0 && inTime.length === 0 && timestamp + lateness <= watermark)
          now.late.push([element, timestamp]);
        for (const { start, end } of inTime) {
          const key = keyOf(element);
          let window = windows.find((one) => one.key === key && one.start === start);
          if (!window) windows.push((window = { key, start, end, elements: [] }));
          window.elements.push(element);
          if (end - 1 <= watermark) now.fired.push({ ...window, elements: [...window.elements] });
        }
      }
    }
    return now;
  });
  return { given, left: windows.length };
}
