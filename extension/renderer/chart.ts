// A live chart. Its Vega view is created once per spec, and rows are patched into it.
// Frames conflate: while Vega draws one, all later frames become one.
//
//   draw(part) ─ other spec ─► embed ─► view.run
//              └ same spec ──► reconcile rows ─► view.change + view.run
import { changeset, Error as ErrorsOnly, parse, View } from 'vega';
import type { ChartPart } from '../../kernel/protocol/displays.ts';
import { CaptionLine } from './caption.ts';
import { Legend, lastValues, seriesOrder } from './chart-legend.ts';
import { Readout } from './chart-readout.ts';
import { rowsOnly } from './chart-loader.ts';
import { usePlainPaint } from './chart-paint.ts';
import { ChartRows } from './chart-rows.ts';
import type { DrawableSpec } from './chart-spec.ts';
import { drawableSpec, rowsData, seriesSignal, defaultHeight } from './chart-spec.ts';
import { element, setAttribute, setClass, setText } from './element.ts';
import { count, span } from './format.ts';
import { PartHeader } from './part-header.ts';
import type { PartHost, PartView } from './part-view.ts';
import { chartConfig, onThemeChange } from './theme.ts';

/** Only tests read the Vega view from the plot's node, to check that it stays the same object. */
export interface PlotElement extends HTMLElement {
  vegaView?: View;
}

interface Bounds {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

usePlainPaint();

const legendLine = 18;
const narrow = 520;

export class Chart implements PartView<ChartPart> {
  readonly element = element('section', 'sl-part sl-chart');
  readonly #header: PartHeader;
  readonly #plot: PlotElement = element('div', 'sl-plot');
  readonly #empty = element('div', 'sl-empty', 'no rows yet');
  readonly #legend = new Legend();
  readonly #readout = new Readout(this.#plot, () => this.#readSoon());
  readonly #problems = element('div', 'sl-caption sl-waiting');
  readonly #caption = new CaptionLine();
  readonly #abort = new AbortController();
  readonly #resize = new ResizeObserver(() => this.#fitSoon());
  #part: ChartPart | undefined;
  #frozen: ChartPart | undefined;
  #specText = '';
  #spec: DrawableSpec | undefined;
  #view: View | undefined;
  #rows = new ChartRows();
  #series: readonly unknown[] = [];
  #work: Promise<void> | undefined;
  #again = false;
  #reading: number | undefined;
  #overhang = 0;
  #fitTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: PartHost) {
    this.#header = new PartHeader({
      freeze: () => this.#toggleFreeze(),
      download: () => this.#part && host.download(this.#part.id),
    });
    const frame = element('div', 'sl-chart-frame', this.#plot, this.#legend.element);
    this.#plot.append(this.#empty, this.#readout.element);
    this.#plot.setAttribute('role', 'img');
    this.#problems.hidden = true;
    this.element.append(this.#header.element, frame, this.#problems, this.#caption.element);
    this.#resize.observe(this.#plot);
    onThemeChange(() => this.#retheme(), this.#abort.signal);
  }

  draw(part: ChartPart): void {
    this.#part = part;
    // A smaller total: the cell was run again, and the frozen rows are obsolete.
    if (this.#frozen !== undefined && part.total < this.#frozen.total) this.#frozen = undefined;
    const { title, lastMillis, sampled, total } = part;
    const figures = lastMillis === undefined ? [] : [`last ${span(lastMillis)}`];
    if (sampled > 1) figures.push(`sampled 1 in ${count(sampled)}`);
    this.#header.draw(title, figures);
    this.#caption.draw(part.caption, Date.now());
    this.#header.drawFrozen(this.#frozen !== undefined, total - (this.#frozen?.total ?? total));
    if (this.#frozen === undefined) this.#update();
  }

  dispose(): void {
    this.#abort.abort();
    this.#resize.disconnect();
    clearTimeout(this.#fitTimer);
    this.#view?.finalize();
    this.#view = undefined;
  }

  #toggleFreeze(): void {
    this.#frozen = this.#frozen === undefined ? this.#part : undefined;
    if (this.#part !== undefined) this.draw(this.#part);
  }

  #update(): void {
    if (this.#work !== undefined) {
      this.#again = true;
      return;
    }
    this.#work = this.#bringForward()
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#work = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#update();
      });
  }

  async #bringForward(): Promise<void> {
    const part = this.#frozen ?? this.#part;
    if (part === undefined || this.#abort.signal.aborted) return;
    const specText = JSON.stringify(part.spec);
    if (specText !== this.#specText) this.#embed(part, specText);
    const view = this.#view;
    if (view === undefined) return;
    const { inserted, removed } = this.#rows.reconcile(part.rows);
    if (inserted.length > 0 || removed.length > 0) {
      view.change(
        rowsData,
        changeset()
          .insert([...inserted])
          .remove([...removed]),
      );
      this.#nameSeries(view);
    }
    this.#drawProblems();
    setClass(this.#plot, this.#rows.size === 0 ? 'sl-plot sl-is-empty' : 'sl-plot');
    await view.runAsync();
    if (this.#isCut(view)) await view.resize().runAsync();
    this.#read(view);
  }

  /** A row that cannot be shown is missing in the chart, and the reason stands below it. */
  #drawProblems(): void {
    const { length, [0]: first } = this.#rows.problems;
    this.#problems.hidden = first === undefined;
    setText(this.#problems, first === undefined ? '' : `${count(length)} ${length === 1 ? 'row' : 'rows'} ${first}`);
  }

  /**
   * Vega computes the layout once, so that the plot does not move when the width of a label
   * changes. The layout is computed again only if labels no longer fit.
   */
  #isCut(view: View): boolean {
    if (this.#spec?.height === undefined || this.#rows.size === 0) return false;
    const svg = this.#plot.querySelector('svg');
    const bounds = (view.scenegraph() as unknown as { readonly root: { readonly bounds?: Bounds } }).root.bounds;
    if (svg === null || bounds === undefined) return false;
    const [left, top] = view.origin();
    const over = Math.max(
      -left - bounds.x1,
      -top - bounds.y1,
      left + bounds.x2 - svg.clientWidth,
      top + bounds.y2 - svg.clientHeight,
    );
    // A new layout could not make enough room last time. It is not repeated in every frame.
    if (over <= this.#overhang + 1) return false;
    this.#overhang = over;
    return true;
  }

  #readSoon(): void {
    this.#reading ??= requestAnimationFrame(() => {
      this.#reading = undefined;
      if (this.#view !== undefined && this.#work === undefined) this.#read(this.#view);
    });
  }

  /** Draws the rule or box under the pointer, and the legend's values at that time. */
  #read(view: View): void {
    const spec = this.#spec;
    if (spec === undefined) return;
    this.#readout.draw(view, this.#rows.data(), {
      ...spec,
      figure: spec.series === undefined ? spec.figure : undefined,
    });
    this.#drawLegend(view);
  }

  #embed(part: ChartPart, specText: string): void {
    this.#specText = specText;
    this.#view?.finalize();
    this.#view = undefined;
    const spec = drawableSpec(part.spec, part.title, chartConfig(this.element));
    this.#spec = spec;
    this.#rows = new ChartRows(spec.temporalFields);
    this.#overhang = 0;
    this.#series = [];
    const plotHeight = spec.height ?? defaultHeight;
    this.#plot.style[spec.height === undefined ? 'minHeight' : 'height'] = `${String(plotHeight)}px`;
    this.#plot.style.setProperty('overflow-x', spec.fitsWidth ? 'hidden' : 'auto');
    this.#legend.element.hidden = spec.series === undefined;
    const holder = element('div', 'sl-vega');
    this.#plot.replaceChildren(holder, this.#empty, this.#readout.element);
    const view = new View(parse(spec.vega), {
      renderer: 'svg',
      logLevel: ErrorsOnly,
      loader: rowsOnly,
      hover: false,
      tooltip: () => undefined,
    });
    view.initialize(holder);
    if (spec.fitsWidth) view.width(this.#width());
    this.#readout.follow(view);
    this.#view = view;
    this.#plot.vegaView = view;
    setAttribute(this.#plot, 'aria-label', `chart: ${part.title}`);
  }

  #nameSeries(view: View): void {
    const fields = this.#spec?.series;
    if (fields === undefined) return;
    const present = new Set<unknown>();
    for (const datum of this.#rows.data()) present.add(fields.field(datum));
    const series = seriesOrder(this.#series, present);
    if (series === this.#series) return;
    this.#series = series;
    view.signal(seriesSignal, series);
  }

  #drawLegend(view: View): void {
    const spec = this.#spec;
    if (spec?.series === undefined) return;
    const values = lastValues(this.#rows.data(), spec.series, spec.time, this.#readout.at);
    const colour = view.scale(spec.series.scale) as (name: unknown) => string;
    const entries = this.#series.map((name) => ({ name, colour: colour(name), value: values.get(name) }));
    this.#legend.draw(entries, Math.floor((spec.height ?? defaultHeight) / legendLine));
  }

  #width(): number {
    return Math.max(this.#plot.clientWidth, 120);
  }

  #fitSoon(): void {
    const frame = this.#plot.parentElement;
    if (frame !== null) frame.classList.toggle('sl-narrow', frame.clientWidth > 0 && frame.clientWidth < narrow);
    this.#fitTimer ??= setTimeout(() => {
      this.#fitTimer = undefined;
      const view = this.#view;
      // A hidden plot has no width. It is fitted when it becomes visible.
      if (view === undefined || this.#spec?.fitsWidth !== true || this.#plot.clientWidth === 0) return;
      if (view.width() === this.#width()) return;
      view.width(this.#width());
      this.#update();
    }, 60);
  }

  /**
   * Colours are CSS variables and change with the theme. Only a continuous ramp must be computed
   * again.
   */
  #retheme(): void {
    const ramps: unknown[] = ['ramp', 'heatmap', 'diverging'];
    if (!this.#spec?.vega.scales?.some((scale) => 'range' in scale && ramps.includes(scale.range))) return;
    this.#specText = '';
    this.#update();
  }

  #fail(error: unknown): void {
    this.#view?.finalize();
    this.#view = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    this.#plot.replaceChildren(element('div', 'sl-cannot', `This chart's spec cannot be drawn: ${reason}`));
    this.#plot.style.height = `${String(defaultHeight)}px`;
  }
}
