// Figures as all clients show them: three digits with an SI suffix.
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
