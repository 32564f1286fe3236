// The report about a script that fails: its lines, with the actual results beside them.
import type { Step } from './script-lines.ts';

export interface Came {
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  readonly same: boolean;
}

/** Pairs equal lines. If order counts, it pairs lines by position. */
export function pair(expected: readonly Keyed[], actual: readonly Keyed[], ordered: boolean): Came[] {
  if (ordered)
    return Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) => ({
      expected: expected[i]?.text,
      actual: actual[i]?.text,
      same: expected[i] !== undefined && expected[i].key === actual[i]?.key,
    }));
  const left = [...actual];
  const taken = expected.map((one) => {
    const at = left.findIndex((other) => other.key === one.key);
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  const paired = expected.map((one, i) => ({
    expected: one.text,
    actual: (taken[i] ?? left.shift())?.text,
    same: taken[i] !== undefined,
  }));
  return [...paired, ...left.map((one) => ({ expected: undefined, actual: one.text, same: false }))];
}
/** A line that is compared by `key` and shown as `text`. */
export interface Keyed {
  readonly key: string;
  readonly text: string;
}

export function drawReport(steps: readonly { readonly step: Step; readonly came: readonly Came[] }[]): string {
  const lines = steps.flatMap(({ step, came }) => [
    { left: step.text, sign: ' ', right: '' },
    ...came.map(({ expected = '', actual = '', same }) => ({ left: expected, sign: same ? ' ' : '≠', right: actual })),
  ]);
  const width = Math.min(80, Math.max(...lines.map(({ left }) => left.length)));
  return [
    `  ${'script'.padEnd(width)}     actual result`,
    ...lines.map(({ left, sign, right }) => `  ${left.padEnd(width)}  ${sign}  ${right}`.trimEnd()),
  ].join('\n');
}
