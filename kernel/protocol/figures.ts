// Figures as all clients show them: three digits with an SI suffix.
import type { Figure } from './displays.ts';

const suffixes = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** 18240 → "18.2 k", 412 → "412", 3.46 → "3.5", 0 → "0" */
export function si(n: number): string {
  const magnitude = Math.abs(n);
  // 999.6 would be printed as "1000", so a value that rounds up to the next suffix gets that
  // suffix.
  for (const [factor, suffix] of suffixes)
    if (magnitude >= factor * 0.9995) return `${threeDigits(n / factor)} ${suffix}`;
  return threeDigits(n);
}

function threeDigits(n: number): string {
  const magnitude = Math.abs(n);
  if (magnitude >= 99.95) return n.toFixed(0);
  return Number.isInteger(n) && magnitude < 10 ? String(n) : n.toFixed(1);
}

/** 18240 → "18.2 k/s", 412 → "412/s" */
export function rate(perSecond: number): string {
  return `${si(perSecond)}/s`;
}

/** 3,100,000 → "3.1 MB", 412 → "412 B" */
export function bytesText(bytes: number): string {
  const text = si(bytes);
  return /\d$/.test(text) ? `${text} B` : `${text}B`;
}

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A figure of a panel. `timeText` knows the user's zone. */
export function figureText(figure: Figure, timeText: (at: number) => string): string {
  if (figure === null || typeof figure === 'string') return figure ?? '';
  if ('count' in figure) return grouped.format(figure.count);
  if ('perSecond' in figure) return rate(figure.perSecond);
  if ('bytes' in figure) return bytesText(figure.bytes);
  return 'millis' in figure ? duration(figure.millis) : timeText(figure.time);
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;
/** At most two units: 276,000 → "4 min 36 s", 90,061,000 → "1 d 1 h", 400 → "0 s" */
export function duration(millis: number): string {
  const seconds = Math.round(millis / 1000);
  const first = Math.max(
    0,
    units.findIndex(([size]) => seconds >= size),
  );
  if (seconds < 1) return '0 s';
  const [size, unit] = units[first]!;
  const [lessSize, lessUnit] = units[first + 1] ?? [];
  const rest = lessSize === undefined ? 0 : Math.floor((seconds % size) / lessSize);
  return `${Math.floor(seconds / size)} ${unit}${rest > 0 ? ` ${rest} ${lessUnit}` : ''}`;
}
