// The look of a chart. Colours are references to the CSS variables of styles.css, so that a change
// of theme needs no redrawing.
// Only continuous ramps and fonts need real values, because Vega interpolates and measures with
// them.
import type { Config } from 'vega-lite';

const seriesColours = 12;
const dim = 'var(--sl-dim)';
/** Labels and titles of axes, legends and headers. */
const captions = {
  labelColor: dim,
  titleColor: dim,
  labelFontSize: 11,
  titleFontSize: 11,
  titleFontWeight: 'normal',
} as const;

export function chartConfig(host: HTMLElement): Config {
  const style = getComputedStyle(host);
  const font = style.fontFamily || 'sans-serif';
  return {
    background: 'transparent',
    // Half a label of the y axis stands above the plot, and descenders of the x axis stand below
    // it.
    padding: { left: 0, right: 0, top: 7, bottom: 3 },
    font,
    // One aria text per mark would be most of the DOM of a live chart, so only the whole chart has
    // a description.
    aria: false,
    customFormatTypes: false,
    // The size of one plot among several. A single plot gets its size from the chart.
    view: { stroke: null, continuousHeight: 144, discreteHeight: 144 },
    range: {
      category: Array.from({ length: seriesColours }, (_, index) => `var(--sl-c${String(index + 1)})`),
      ramp: rampOf(host, ['--sl-ramp-low', '--sl-ramp-high']),
      heatmap: rampOf(host, ['--sl-ramp-low', '--sl-ramp-high']),
      diverging: rampOf(host, ['--sl-c5', '--sl-ramp-low', '--sl-c1']),
    },
    mark: { color: 'var(--sl-c1)' },
    line: { strokeWidth: 1.5, strokeJoin: 'round', strokeCap: 'round' },
    trail: { color: 'var(--sl-c1)' },
    area: { line: { strokeWidth: 1.5 } },
    point: { size: 26, filled: true },
    circle: { size: 26, opacity: 0.75 },
    bar: { cornerRadiusEnd: 0, continuousBandSize: 8 },
    rule: { color: dim },
    text: { color: 'var(--sl-fg)', fontSize: 11, font },
    ...axes(),
    legend: { ...captions, symbolStrokeWidth: 1.5, gradientLength: 120 },
    header: captions,
    title: { color: 'var(--sl-fg)', fontSize: 12, fontWeight: 'normal', anchor: 'start' },
  };
}

function axes(): Config {
  return {
    axis: {
      ...captions,
      domainColor: 'var(--sl-axis)',
      tickColor: 'var(--sl-axis)',
      gridColor: 'var(--sl-grid)',
      labelPadding: 6,
      tickSize: 4,
      labelLimit: 140,
    },
    axisX: { grid: false, titlePadding: 6, minExtent: 20 },
    // Space for the labels is reserved from the start, because a longer label must not move the
    // plot.
    axisY: { domain: false, ticks: false, minExtent: 40 },
    // The title of the display names the time. Labels that do not fit are omitted.
    axisTemporal: { title: null, labelBound: true },
    axisBand: { grid: false },
    axisXBand: { labelAngle: 0, labelOverlap: 'parity' },
    axisXPoint: { labelAngle: 0, labelOverlap: 'parity' },
  };
}

/** Converts CSS colours of any form to a form that Vega's interpolators can read. */
function rampOf(host: HTMLElement, variables: readonly string[]): string[] {
  const probe = document.createElement('span');
  host.append(probe);
  try {
    return variables.map((variable) => {
      probe.style.color = `var(${variable})`;
      return hexOf(getComputedStyle(probe).color);
    });
  } finally {
    probe.remove();
  }
}

function hexOf(colour: string): string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return colour;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * Calls back when the colours of the environment change. VS Code sets classes on the body; the page
 * follows the system.
 */
export function onThemeChange(changed: () => void, signal: AbortSignal): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed, { signal });
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  signal.addEventListener('abort', () => observer.disconnect());
}
