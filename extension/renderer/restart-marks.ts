// Where a session was restarted: a thin rule over the chart, at the first row after the restart.
import type { View } from 'vega';
import type { RestartMark } from '../../kernel/protocol/displays.ts';
import { datumOf, timeOf } from './chart-rows.ts';
import type { DrawableSpec } from './chart-spec.ts';
import { element, setAttribute } from './element.ts';
import { moment } from './format.ts';

export class RestartMarks {
  readonly element = element('div', 'sl-restarts');

  marks: readonly RestartMark[] = [];

  draw(view: View, spec: Pick<DrawableSpec, 'along' | 'temporalFields'>): void {
    const places = this.marks.flatMap((mark) => {
      const x = placeOf(view, mark, spec);
      return x === undefined ? [] : [{ x, mark }];
    });
    while (this.element.children.length > places.length) this.element.lastElementChild!.remove();
    while (this.element.children.length < places.length) this.element.append(element('div', 'sl-restart'));
    if (places.length === 0) return;
    const [left, top] = view.origin();
    const height = view.signal('height') as number;
    places.forEach(({ x, mark }, index) => {
      const rule = this.element.children[index] as HTMLElement;
      Object.assign(rule.style, {
        left: `${(left + x).toFixed(1)}px`,
        top: `${String(top)}px`,
        height: `${String(height)}px`,
      });
      setAttribute(rule, 'title', restartText(mark, Date.now()));
    });
  }
}

/** "restarted at 12:04:31 from the checkpoint of 12:04:21" */
export function restartText({ at, from }: RestartMark, now: number): string {
  return `restarted at ${moment(at, now)}${from === undefined ? '' : ` from the checkpoint of ${moment(from, now)}`}`;
}

/** undefined: it is not within the plot, or the rows have no place along a continuous axis. */
function placeOf(
  view: View,
  { row }: RestartMark,
  { along, temporalFields }: Pick<DrawableSpec, 'along' | 'temporalFields'>,
): number | undefined {
  if (row === undefined || along === undefined) return undefined;
  try {
    const at = timeOf(along(datumOf(row, temporalFields)));
    const x = (view.scale('x') as (at: number) => number)(at);
    return x >= 0 && x <= (view.signal('width') as number) ? x : undefined;
  } catch {
    // The row cannot be shown, or the spec has no scale of this name.
    return undefined;
  }
}
