// What open windows give before they close: the rows that they would give if time ended now, and a
// look at them changes nothing.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { canonical, Driven, Program, type Step, type Timed } from '../operators/drive.ts';

const count = { n: { name: 'count' }, total: { name: 'sum', value: { field: 'v' } } };
const best = { top: { name: 'topN', n: 2, value: { field: 'v' } }, seen: { name: 'collect', value: { field: 'v' } } };
const programOf = (window: object, aggregates: object = count, more: object = {}): Program =>
  new Program('windowAggregate', { window, allowedLatenessMillis: 3, aggregates, ...more }, [{ fields: ['k'] }]);
const tumbling = { kind: 'tumbling', sizeMillis: 10, offsetMillis: 0, time: 'event' };
const sliding = { kind: 'sliding', sizeMillis: 10, slideMillis: 4, offsetMillis: 0, time: 'event' };
const session = { kind: 'session', gapMillis: 5, time: 'event' };

type Row = Readonly<Record<string, unknown>>;
function openOf(driven: Driven, most = Infinity): Row[] {
  const rows: Row[] = [];
  driven.operator.openResults?.((row) => rows.push(row as Row) < most);
  return rows;
}
const texts = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

const timed: fc.Arbitrary<Timed> = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 5 }), fc.integer({ min: -30, max: 30 }))
  .map(([k, v, timestamp]) => [{ k, v }, timestamp]);
const anySteps = fc
  .array(
    fc.oneof(
      fc.array(timed, { maxLength: 8 }).map((records): Step => ({ records })),
      fc.integer({ min: -35, max: 35 }).map((watermark): Step => ({ watermark })),
    ),
    { maxLength: 20 },
  )
  .map((steps): Step[] => {
    let watermark = -Infinity;
    return steps.map((step) => {
      if ('watermark' in step) watermark = Math.max(watermark, step.watermark);
      return 'watermark' in step ? { watermark } : step;
    });
  });
const anyProgram = fc
  .tuple(fc.constantFrom(tumbling, sliding, session), fc.constantFrom<object>(count, best))
  .map(([window, aggregates]) => ({ window, program: programOf(window, aggregates) }));

describe('open windows', () => {
  test('law: they show what they would give if time ended now', () => {
    fc.assert(
      fc.property(anyProgram, anySteps, ({ window, program }, steps) => {
        const driven = new Driven(program);
        driven.steps(steps);
        const open = texts(openOf(driven));
        const { rows } = driven.step({ watermark: Infinity });
        const given = texts(rows.map(([row]) => row));
        if (window !== sliding) return assert.deepEqual(open, given);
        // Of overlapping windows the newest ones are left out.
        for (const row of open) assert.ok(given.includes(row), row);
        if (steps.every((step) => 'records' in step)) assert.equal(open.length > 0, given.length > 0);
      }),
    );
  });

  test('law: to look changes nothing', () => {
    fc.assert(
      fc.property(anyProgram, anySteps, ({ program }, steps) => {
        const all: Step[] = [...steps, { watermark: Infinity }];
        const looked = new Driven(program, { freeze: true });
        const given = all.map((step) => {
          openOf(looked);
          return looked.step(step);
        });
        assert.deepEqual(canonical(given), canonical(new Driven(program, { freeze: true }).steps(all)));
        assert.equal(looked.entries, 0);
      }),
    );
  });

  test('overlapping windows are shown once their last slide has begun, newest first', () => {
    for (const aggregates of [count, { ...count, least: { name: 'min', value: { field: 'v' } } }]) {
      const driven = new Driven(programOf({ ...sliding, slideMillis: 5 }, aggregates));
      driven.step({
        records: [
          [{ k: 'a', v: 1 }, 12],
          [{ k: 'a', v: 1 }, 17],
        ],
      });
      const ends = openOf(driven).map(({ windowEnd, n }) => [(windowEnd as Date).getTime(), n]);
      assert.deepEqual(ends, [
        [20, 2],
        [15, 1],
      ]);
    }
  });

  test('a window that has fired, and a reader that wants no more, end it', () => {
    const driven = new Driven(programOf(tumbling));
    driven.step({
      records: [
        [{ k: 'a', v: 1 }, 2],
        [{ k: 'b', v: 1 }, 3],
        [{ k: 'a', v: 1 }, 12],
      ],
    });
    driven.step({ watermark: 9 });
    assert.deepEqual(texts(openOf(driven)).length, 1, 'the first window is kept for late elements');
    driven.step({ records: [[{ k: 'c', v: 1 }, 13]] });
    assert.equal(openOf(driven, 1).length, 1);
  });

  test('a result that the user’s function makes is not computed before its window closes', () => {
    let calls = 0;
    const aggregator = {
      name: 'aggregator',
      create: () => 0,
      add: (n: number) => n + 1,
      result: (n: number) => (calls++, n),
    };
    const trigger = { kind: 'count', n: 3 };
    for (const program of [programOf(tumbling, { own: aggregator }), programOf(tumbling, count, { trigger })]) {
      const driven = new Driven(program);
      driven.step({ records: [[{ k: 'a', v: 1 }, 2]] });
      assert.deepEqual(openOf(driven), []);
    }
    assert.equal(calls, 0);
  });
});
