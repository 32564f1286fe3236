// A reporter for one test file: what passed, failed and was skipped, as one JSON line for `.ci/test.ts` to add up.
import type { TestEvent } from 'node:test/reporters';

export interface FileTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string, void> {
  const failures: string[] = [];
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') failures.push(event.data.name);
    if (event.type !== 'test:summary') continue;
    const { tests, passed, skipped, todo } = event.data.counts;
    const result: FileTotals = {
      passed,
      failed: tests - passed - skipped - todo,
      skipped: skipped + todo,
      failures,
    };
    yield `${JSON.stringify(result)}\n`;
  }
}
