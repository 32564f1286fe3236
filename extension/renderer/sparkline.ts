// Five minutes of one share as a small line: one SVG path with its last point at the right edge.
import { setAttribute, svgElement } from './element.ts';

const width = 80;
const height = 14;
const seconds = 300;

export class Sparkline {
  readonly #area = svgElement('path', { class: 'sl-spark-area' });
  readonly #line = svgElement('path', { class: 'sl-spark-line' });
  readonly element = svgElement(
    'svg',
    { class: 'sl-spark', viewBox: `0 0 ${String(width)} ${String(height)}`, width, height, role: 'img' },
    this.#area,
    this.#line,
  );

  draw(points: readonly number[], label: string): void {
    const { line, area } = sparkPaths(points);
    setAttribute(this.#line, 'd', line);
    setAttribute(this.#area, 'd', area);
    setAttribute(this.element, 'aria-label', label);
  }
}

/** Shares 0…1, newest last, one a second. */
function sparkPaths(points: readonly number[]): { readonly line: string; readonly area: string } {
  if (points.length === 0) return { line: '', area: '' };
  const step = width / (seconds - 1);
  const at = points.slice(-seconds).map((share, index, all) => {
    const x = width - (all.length - 1 - index) * step;
    const y = height - 0.5 - Math.min(Math.max(share, 0), 1) * (height - 1.5);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${at.join('L')}`;
  const left = at[0]!.split(' ')[0]!;
  return { line, area: `${line}V${String(height)}H${left}Z` };
}
