// Whether the tests run in CI. Nothing may be skipped there, so a missing tool is an error.

/** CI systems set the variable `CI`. `CI=false` switches it off. */
export const inCI = !['', 'false'].includes(process.env['CI'] ?? '');

/** Prints why tests are skipped. In CI it throws instead. */
export function reportSkipped(sentence: string): void {
  if (inCI) throw new Error(sentence);
  process.stderr.write(`\n*** ${sentence} ***\n\n`);
}
