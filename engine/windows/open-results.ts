// Which open windows a display shows before they close, newest first. Of overlapping windows these
// are the ones whose last slide has begun. A newer one has seen only the end of its time, so a line
// through it would fall to zero.
import type { Keyed } from '../state/keyed.ts';
import type { Assigner, WindowRange } from './assigner.ts';
import type { Pane } from './pane.ts';
import type { Link } from './slices.ts';

/** With more open windows than this none is shown: to sort them would cost too much. */
const mostPanes = 10_000;
/** Number of overlapping windows that are shown. */
const mostWindows = 100;

export function newestOpen<A extends Keyed>(
  panes: ReadonlyMap<number, Pane<A>>,
  isOpen: (pane: Pane<A>) => boolean,
  { slideMillis }: Assigner,
): readonly Pane<A>[] {
  if (panes.size > mostPanes) return [];
  const open = [...panes.values()].filter((pane) => isOpen(pane) && pane.entries.length > 0);
  open.sort((a, b) => b.start - a.start);
  const newest = open[0];
  return newest ? open.filter(({ end }) => end <= newest.start + slideMillis) : [];
}

/**
 * The windows of slices that have not fired. `newestEnd` is the end of the first window of the
 * newest slice; undefined: there is no slice.
 */
export function* openWindows(
  newestEnd: number | undefined,
  watermark: number,
  { sizeMillis, slideMillis }: Assigner,
): Iterable<WindowRange> {
  if (newestEnd === undefined) return;
  for (let n = 0; n < mostWindows; n++) {
    const end = newestEnd - n * slideMillis;
    if (end - 1 <= watermark) return;
    yield { start: end - sizeMillis, end };
  }
}

/** The first link of the key in the window, if it has content there. */
export function firstIn<A extends Keyed>(first: Link<A>, { start, end }: WindowRange): Link<A> | undefined {
  let link: Link<A> | undefined = first;
  while (link !== undefined && link.slice.start < start) link = link.after;
  return link !== undefined && link.slice.start < end ? link : undefined;
}
