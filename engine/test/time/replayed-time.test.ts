// Law: the rows of a job are those of a source that emits its watermark after every record. So they
// depend on the records and their order, not on the pace of reading, and not on restores.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import type { Sources } from '../../api/sources.ts';
import type { Stream } from '../../api/surface.ts';
import { anyMoves, anyRows, PacedJob, type Part, parts, type Row } from './paced-job.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'rows.jsonl');
const linesOf = (rows: readonly Row[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

interface Given {
  readonly rows: readonly Row[];
  readonly bound: number;
}
const timeOf = ({ bound }: Given) => ({ timestamp: 'at', watermark: { outOfOrderness: `${bound}ms` } }) as const;

/** A generator of the user's own is asked after every record. */
function reference({ rows, bound }: Given): (sources: Sources) => Stream<Row> {
  let newest = -Infinity;
  const onElement = (_: Row, at: number): number => (newest = Math.max(newest, at)) - bound - 1;
  return ({ from }) => from(rows).assignTimestamps('at', { onElement });
}

const variants: Readonly<Record<string, (part: Part, given: Given) => PacedJob>> = {
  'an array': (part, given) => new PacedJob(part, ({ from }) => from(given.rows, timeOf(given))),
  'a set': (part, given) => new PacedJob(part, ({ from }) => from(new Set(given.rows), timeOf(given))),
  'generated records': (part, given) =>
    new PacedJob(part, ({ generate }) =>
      generate({ ...timeOf(given), limit: given.rows.length }, ({ n }) => given.rows[n]!),
    ),
  'generated records with a rate': (part, given) =>
    new PacedJob(part, ({ generate }) =>
      generate({ ...timeOf(given), limit: given.rows.length, rate: 100 }, ({ n }) => given.rows[n]!),
    ),
  'a file': (part, given) => {
    writeFileSync(path, linesOf(given.rows));
    return new PacedJob(part, ({ file }) => file<Row>(path, timeOf(given)));
  },
  'a file that is replayed': (part, given) => {
    writeFileSync(path, linesOf(given.rows));
    return new PacedJob(part, ({ file }) => file<Row>(path, { ...timeOf(given), speed: 5 }));
  },
  'a file that is followed': (part, given) => {
    writeFileSync(path, '');
    let written = 0;
    return new PacedJob(
      part,
      ({ file }) => file<Row>(path, { ...timeOf(given), follow: true }),
      (count) => {
        appendFileSync(path, linesOf(given.rows.slice(written, written + count)));
        written += count;
      },
    );
  },
  'event times assigned behind a map': (part, given) => {
    const { timestamp, watermark } = timeOf(given);
    return new PacedJob(part, ({ generate }) =>
      generate({ limit: given.rows.length, rate: 100 }, ({ n }) => n)
        .map((n) => given.rows[n]!)
        .assignTimestamps(timestamp, watermark),
    );
  },
  'event times assigned before a map': (part, given) => {
    const { timestamp, watermark } = timeOf(given);
    return new PacedJob(part, ({ from }) =>
      from(given.rows)
        .assignTimestamps(timestamp, watermark)
        .filter(({ n }) => n > -2)
        .map((row) => ({ ...row })),
    );
  },
};

/** Between keys there is no order. */
function byKey(rows: Readonly<Record<string, readonly string[]>>): unknown {
  const whoOf = (row: string): string => /"who":"(\w+)"/.exec(row)?.[1] ?? '';
  return Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, Object.groupBy(all, whoOf)]));
}

const given = fc.record({ rows: anyRows, bound: fc.constantFrom(0, 1, 7) });
const partNames = Object.keys(parts) as readonly Part[];

for (const [variant, jobOf] of Object.entries(variants))
  test(`${variant}: at any pace the rows are those with a watermark after every record`, () => {
    const seen = { late: 0, timers: 0, restores: 0 };
    fc.assert(
      fc.property(given, fc.constantFrom(...partNames), anyMoves, (one, part, moves) => {
        const job = jobOf(part, one);
        for (const move of moves) job.move(move);
        const rows = job.toTheEnd();
        seen.late += rows['late']?.length ?? 0;
        seen.timers += rows['timers']?.length ?? 0;
        seen.restores += job.restores;
        assert.deepEqual(byKey(rows), byKey(new PacedJob(part, reference(one)).toTheEnd()));
      }),
      { numRuns: 150 },
    );
    // The law would hold of rows that are never late, and of lives that never end.
    assert.ok(seen.late > 100 && seen.timers > 100 && seen.restores > 20, JSON.stringify(seen));
  });
