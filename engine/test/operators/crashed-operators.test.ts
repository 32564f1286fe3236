// Tables, joins with them, pairs and patterns under crashes: an operator that changes its state
// while the snapshot is still being written gives the same rows after a restore.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { canonical, type Given, Program, run, type Step, type Timed } from './drive.ts';

const byK = { fields: ['k'] };
const carried = { carried: true } as const;
const both = (left: unknown, right: unknown): unknown => ({ left, right });
/** An even number, then one or more odd ones, within 8 ms. */
const stage = { contiguity: 'relaxed', from: 1, to: 1, inner: 'relaxed', isOptional: false, isGreedy: false };
const stages = [
  { ...stage, name: 'even', occurs: 'one', where: [({ v }: { v: number }) => v % 2 === 0] },
  { ...stage, name: 'odd', occurs: 'loop', where: [({ v }: { v: number }) => v % 2 === 1] },
];
const programs: Readonly<Record<string, { readonly program: Program; readonly changes: readonly (0 | 1)[] }>> = {
  toTable: { program: new Program('toTable', {}, [byK]), changes: [] },
  pairwise: { program: new Program('pairwise', {}, [byK]), changes: [] },
  pattern: {
    program: new Program(
      'pattern',
      { stages, skip: { kind: 'no-skip' }, select: (match: unknown) => match, withinMillis: 8 },
      [byK],
    ),
    changes: [],
  },
  arrivalJoin: { program: new Program('arrivalJoin', { select: both }, [byK, carried]), changes: [1] },
  temporalJoin: { program: new Program('temporalJoin', { select: both }, [byK, carried]), changes: [1] },
  tableJoin: {
    program: new Program('tableJoin', { kind: 'outer', select: both }, [carried, carried]),
    changes: [0, 1],
  },
  tableAggregate: {
    program: new Program(
      'tableAggregate',
      {
        key: byK,
        aggregates: {
          ...{ n: { name: 'count' }, sum: { name: 'sum', value: { field: 'v' } } },
          ...{ min: { name: 'min', value: { field: 'v' } }, max: { name: 'max', value: { field: 'v' } } },
          distinct: { name: 'countDistinct', approximate: false, value: { field: 'v' } },
          ...{ top: { name: 'topN', n: 2, value: { field: 'v' } }, all: { name: 'collect' } },
          own: {
            name: 'aggregator',
            create: () => [],
            add: (kept: unknown[], row: unknown) => [...kept, row],
            subtract: (kept: unknown[]) => kept.slice(1),
            result: (kept: unknown[]) => kept,
          },
        },
      },
      [carried],
    ),
    changes: [0],
  },
};

const record = fc.record({ k: fc.constantFrom('a', 'b', 'c'), v: fc.nat(9), at: fc.nat(20), gone: fc.boolean() });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ input: fc.constantFrom(0 as const, 1 as const), records: fc.array(record) }) },
  fc.record({ watermark: fc.nat(25) }),
);

/** A change of a row `v` of group k: an insert or a delete. */
const changeOf = (k: string, v: number, gone: boolean): unknown => ({
  ...{ key: [k], id: String(v) },
  ...(gone ? { row: undefined, old: { k, v } } : { row: { k, v }, old: undefined }),
});

/** Keys may come in any order within a step, in side outputs too. */
function anyOrder(given: readonly Given[]): unknown {
  const asRows = (aside: Given['aside'] = []) => aside.map(([port, value, at]): Timed => [{ port, value }, at]);
  return canonical(given.map(({ aside, ...rest }) => ({ ...rest, rows: [...rest.rows, ...asRows(aside)] })));
}

for (const [name, { program, changes }] of Object.entries(programs))
  test(`law: ${name} gives the same rows when it crashes after any step`, () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 20, size: 'max' }),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20, size: 'max' }),
        (given, crashes) => {
          let time = -1;
          const steps = given.map((one): Step => {
            if ('watermark' in one) return { watermark: (time = Math.max(time, one.watermark)) };
            const input = changes.includes(1) ? one.input : 0;
            const records = one.records.map(({ k, v, at, gone }): Timed => [
              changes.includes(input) ? changeOf(k, v, gone) : { k, v },
              at,
            ]);
            return { input, records };
          });
          const expected = anyOrder(run(program, steps));
          const crashed = run(program, steps, { replaceBefore: (at) => crashes[at] ?? false });
          assert.deepEqual(anyOrder(crashed), expected);
        },
      ),
    );
  });
