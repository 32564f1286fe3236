// Built-in aggregates. The compiled form equals the plain form, and both have clear errors for
// unusable values.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { FunctionRef } from '../../graph/spec.ts';
import { FunctionTable } from '../../graph/plan.ts';
import type { AggregateSpec, AggregatesSpec } from '../../graph/aggregate-spec.ts';
import { planAccumulators } from '../../aggregates/accumulator-plan.ts';
import { type Contents, plainAccumulators } from '../../aggregates/accumulators.ts';
import { compileAccumulators } from '../../aggregates/compiled-accumulators.ts';
import type { Keyed } from '../../state/keyed.ts';
import { valueOf } from '../../values/value-reader.ts';
import { valueBytes } from '../../values/value-writer.ts';

const functions = new FunctionTable();
const double = { uid: 'it', slot: 'double', textHash: '' };
functions.set(double, (element: { v: number }) => element.v * 2);

/** A custom aggregate. The function table has its functions by name. */
function custom(name: string, methods: Record<string, (...given: never[]) => unknown>): AggregateSpec {
  const references = Object.entries(methods).map(([method, run]) => {
    const reference = { uid: 'it', slot: `${name}.${method}`, textHash: '' };
    functions.set(reference, run);
    return [method, reference] as const;
  });
  return {
    name: 'aggregator',
    ...(Object.fromEntries(references) as Record<'create' | 'add' | 'result', FunctionRef>),
  };
}

const row = { customer: 'ann' };
const bounds = [new Date(0), new Date(60_000)] as const;

function forms(aggregates: AggregatesSpec): { plain: Contents<Keyed>; compiled: Contents<Keyed> } {
  const plan = planAccumulators(aggregates, functions, 'it');
  const plain = plainAccumulators(plan) as unknown as Contents<Keyed>;
  return { plain, compiled: compileAccumulators(plan, ['customer'], true, 'it') };
}
/** The result over all elements, with a snapshot and restore after the first half. */
function folded(contents: Contents<Keyed>, elements: readonly unknown[]): unknown {
  let accumulated = contents.create(row, 1, elements[0]);
  elements.slice(1).forEach((element, index) => {
    if (index === elements.length >> 1) {
      const content = valueOf(valueBytes(contents.pack(accumulated))) as readonly unknown[];
      assert.equal(content.length, contents.columns.length);
      accumulated = contents.unpack(row, 2, content);
    }
    contents.add(accumulated, element);
  });
  return contents.result(accumulated, ...bounds);
}
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Two aggregates: one changes its accumulator in place, and one returns a new sum. */
const inPlace = custom('inPlace', {
  create: () => ({ seen: [] as number[] }),
  add(kept: { seen: number[] }, { v }: { v: number }) {
    kept.seen.push(v);
    return kept;
  },
  merge(a: { seen: number[] }, b: { seen: number[] }) {
    b.seen.push(...a.seen);
    return b;
  },
  result: ({ seen }: { seen: number[] }) => seen.sort((a, b) => a - b),
});
const anew = custom('anew', {
  create: () => 0,
  add: (sum: number, { v }: { v: number }) => sum + v,
  merge: (a: number, b: number) => a + b,
  result: (sum: number) => sum,
});

const value = fc.constantFrom({ field: 'v' }, { field: 'w' }, { fn: double });
const aggregate: fc.Arbitrary<AggregateSpec> = fc.oneof(
  fc.constant({ name: 'count' as const }),
  fc.constant({ name: 'collect' as const }),
  fc.constantFrom(inPlace, anew),
  fc.record({
    name: fc.constantFrom('sum', 'avg', 'min', 'max', 'minBy', 'maxBy', 'first', 'last', 'collect'),
    value,
  }),
  fc.record({ name: fc.constant('quantile' as const), p: fc.constantFrom(0, 0.5, 0.9, 1), value }),
  fc.record({ name: fc.constant('countDistinct' as const), approximate: fc.boolean(), value }),
  fc.record({ name: fc.constant('topN' as const), n: fc.integer({ min: 1, max: 3 }), value }),
);
/** Exact only in theory, so that the order of the elements shows. */
const moments: fc.Arbitrary<AggregateSpec> = fc.record({ name: fc.constantFrom('variance', 'stddev'), value });
const some = (aggregates: fc.Arbitrary<AggregateSpec>): fc.Arbitrary<AggregatesSpec> =>
  fc.dictionary(fc.constantFrom('n', 'total', 'a b', '"', '__proto__', 'é'), aggregates, {
    minKeys: 1,
    noNullPrototype: true,
  });
const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true }), fc.constantFrom(-0, 0));
const odd = fc.constantFrom<unknown[]>(undefined, null, NaN, '5', 5n, true, new Date(3), new Date(NaN));

test('law: the compiled form is the plain form, over any aggregates and elements, wrong ones included', () => {
  fc.assert(
    fc.property(
      some(fc.oneof({ weight: 4, arbitrary: aggregate }, { weight: 1, arbitrary: moments })),
      fc.array(fc.record({ v: number, w: fc.oneof({ weight: 5, arbitrary: number }, { weight: 1, arbitrary: odd }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      (aggregates, elements) => {
        const { plain, compiled } = forms(aggregates);
        assert.deepEqual(compiled.columns, plain.columns);
        assert.deepEqual(
          outcome(() => folded(compiled, elements)),
          outcome(() => folded(plain, elements)),
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test('law: merging is adding, however the elements are divided and merged; and what is merged stays as it is', () => {
  fc.assert(
    fc.property(
      some(aggregate),
      // Whole numbers: sums of fractions depend on the order of the additions.
      fc.array(
        fc.record(
          {
            part: fc.nat({ max: 3 }),
            v: fc.integer({ min: -9, max: 9 }),
            w: fc.oneof(fc.integer(), fc.constantFrom(null, undefined, 7, 7n)),
          },
          { noNullPrototype: true },
        ),
        { minLength: 1, maxLength: 12 },
      ),
      fc.boolean(),
      (aggregates, elements, isCompiled) => {
        const { plain, compiled } = forms(aggregates);
        const contents = isCompiled ? compiled : plain;
        const expected = folded(contents, elements);
        const byPart = new Map<number, Keyed>();
        for (const element of elements) {
          const known = byPart.get(element.part);
          if (known) contents.add(known, element);
          else byPart.set(element.part, contents.create(row, 1, element));
        }
        const parts = [...byPart.values()];
        const before = parts.map((part) => contents.result(part));
        const merged = (...[first, ...others]: Keyed[]): Keyed => {
          const into = contents.copy(first!, 1);
          others.forEach((other) => contents.merge!(into, other));
          return into;
        };
        const rest = parts.slice(1);
        for (const all of [
          merged(...parts),
          ...(rest.length > 0 ? [merged(parts[0]!, merged(...rest)), merged(...rest.toReversed(), parts[0]!)] : []),
        ])
          assert.deepEqual(contents.result(all, ...bounds), expected);
        assert.deepEqual(
          parts.map((part) => contents.result(part)),
          before,
        );
      },
    ),
    { numRuns: 500 },
  );
});

for (const form of ['plain', 'compiled'] as const)
  describe(`aggregates in the ${form} form`, () => {
    const all = (elements: readonly unknown[], aggregates: AggregatesSpec) => folded(forms(aggregates)[form], elements);

    test('give a flat row: key, bounds, results in the order given', () => {
      const result = all([{ v: 1 }, { v: 4 }], {
        n: { name: 'count' },
        total: { name: 'sum', value: { field: 'v' } },
        mean: { name: 'avg', value: { field: 'v' } },
        least: { name: 'min', value: { field: 'v' } },
        most: { name: 'max', value: { fn: double } },
      });
      assert.deepEqual(Object.entries(result as object), [
        ['customer', 'ann'],
        ['windowStart', bounds[0]],
        ['windowEnd', bounds[1]],
        ['n', 2],
        ['total', 5],
        ['mean', 2.5],
        ['least', 1],
        ['most', 8],
      ]);
    });
    test('find the least and the greatest of numbers, strings, bigints and Dates', () => {
      const of = (name: 'min' | 'max', values: unknown[]) =>
        (
          all(
            values.map((v) => ({ v })),
            { m: { name, value: { field: 'v' } } },
          ) as { m: unknown }
        ).m;
      assert.equal(of('min', [3, -1, 2]), -1);
      assert.equal(of('max', [3, -1, 2]), 3);
      assert.equal(of('min', ['b', 'a', 'c']), 'a');
      assert.equal(of('max', [2n, 10n, 9n]), 10n);
      assert.deepEqual(of('min', [new Date(5), new Date(3), new Date(4)]), new Date(3));
    });
    test('name the aggregate, the field and the value that cannot be used', () => {
      const total: AggregatesSpec = { total: { name: 'sum', value: { field: 'v' } } };
      const message =
        'Aggregate "total" needs a number from "v", but the record gives true. Filter such records out, or give them a value with map().';
      assert.throws(() => all([{ v: true }], total), { code: 'bad-value', message });
      assert.throws(() => all([{ v: 1 }, { v: true }], total), { code: 'bad-value', message });
      assert.throws(() => all([{ v: '1' }], total), /gives "1"/);
      assert.throws(() => all([{ v: 1 }, { v: NaN }], { m: { name: 'max', value: { fn: double } } }), {
        code: 'bad-value',
        message: /Aggregate "m" needs a number, bigint, string or Date from its selector, but the record gives NaN/,
      });
      assert.throws(
        () => all([{ v: 1 }, { v: 'b' }], { m: { name: 'min', value: { field: 'v' } } }),
        /needs a number to compare with 1 from "v", but the record gives "b"/,
      );
    });
    const field = { field: 'v' };
    const everyKind: AggregatesSpec = {
      n: { name: 'count' },
      ...Object.fromEntries(
        (['sum', 'avg', 'min', 'max', 'minBy', 'maxBy', 'variance', 'first', 'last', 'collect'] as const).map(
          (name) => [name, { name, value: field }],
        ),
      ),
      quantile: { name: 'quantile', p: 0.5, value: field },
      distinct: { name: 'countDistinct', approximate: false, value: field },
      estimate: { name: 'countDistinct', approximate: true, value: field },
      top: { name: 'topN', n: 2, value: field },
    };
    const resultOf = (...values: unknown[]): Record<string, unknown> => {
      const elements = values.map((v, i) => (v === undefined ? { i } : { i, v }));
      const result = { ...(all(elements, everyKind) as Record<string, unknown>) };
      for (const name of ['customer', 'windowStart', 'windowEnd']) delete result[name];
      return result;
    };
    test('skip null and missing values, except those that see every element', () => {
      const values = { sum: 4, avg: 2, min: 1, max: 3, variance: 2, quantile: 1, distinct: 2, estimate: 2 };
      const elements = {
        minBy: { i: 1, v: 1 },
        maxBy: { i: 3, v: 3 },
        top: [
          { i: 3, v: 3 },
          { i: 1, v: 1 },
        ],
      };
      const every = { n: 4, first: null, last: 3, collect: [null, 1, null, 3] };
      assert.deepEqual(resultOf(null, 1, undefined, 3), { ...every, ...values, ...elements });
      assert.equal(resultOf(1, null)['last'], null);
    });
    test('are null without any value; a count of values is 0, and a ranking is empty', () => {
      const none = { sum: null, avg: null, min: null, max: null, minBy: null, maxBy: null, variance: null };
      const empty = { quantile: null, distinct: 0, estimate: 0, top: [], first: null, last: null };
      for (const values of [[null], [undefined, null]])
        assert.deepEqual(resultOf(...values), {
          n: values.length,
          ...none,
          ...empty,
          collect: values.map(() => null),
        });
    });
    test('read a bigint as a double where a number is needed, and compare it with numbers', () => {
      const large = 2n ** 60n;
      const { sum, avg, min, max, distinct } = resultOf(1, large, null, large + 1n, 2 ** 61);
      assert.deepEqual([sum, avg, min, max, distinct], [2 ** 62, 2 ** 60, 1, 2 ** 61, 4]);
      assert.equal(resultOf(5, large + 1n, large)['max'], large + 1n);
      assert.equal(resultOf(-large - 1n, 5, -large)['min'], -large - 1n);
    });
    test('take a number as less than an equal bigint, in any order', () => {
      for (const values of [
        [7, 7n],
        [7n, 7],
        [7n, 7, 7n, 7],
      ]) {
        const { min, max } = resultOf(...values);
        assert.deepEqual([min, max], [7, 7n]);
      }
    });
    test('give an average of values whose sum a double cannot hold', () => {
      const most = Number.MAX_VALUE;
      for (const values of [
        [most, most],
        [-most, -most, null],
        [-most, most, most],
      ])
        assert.equal(resultOf(...values)['avg'], values.length === 3 && values[2] ? most / 3 : values[0]);
      assert.equal(resultOf(most, most)['sum'], Infinity);
      assert.equal(resultOf(most, most, -most)['sum'], most);
      assert.equal(resultOf(most, most, 5, 5)['avg'], most / 2);
    });
    test('are unchanged by an element that they refuse', () => {
      const contents = forms({
        n: { name: 'count' },
        s: { name: 'sum', value: { field: 'v' } },
        m: { name: 'max', value: { field: 'w' } },
      })[form];
      const accumulated = contents.create(row, 1, { v: 1, w: 1 });
      assert.throws(() => contents.add(accumulated, { v: 2, w: 'x' }));
      assert.throws(() => contents.add(accumulated, { v: NaN, w: 2 }));
      assert.deepEqual(contents.result(accumulated), {
        customer: 'ann',
        n: 1,
        s: 1,
        m: 1,
        ...(form === 'compiled' && { windowStart: undefined, windowEnd: undefined }),
      });
    });
  });

test('aggregates of the same field share what they keep', () => {
  const plan = planAccumulators(
    {
      n: { name: 'count' },
      total: { name: 'sum', value: { field: 'v' } },
      mean: { name: 'avg', value: { field: 'v' } },
      most: { name: 'max', value: { field: 'v' } },
    },
    functions,
    'it',
  );
  assert.deepEqual(
    plan.slots.map(({ kind }) => kind),
    ['count', 'sum', 'count', 'max'],
  );
});

test('both forms agree on what stays small: numbers and single elements do, what grows with the elements does not', () => {
  const field = { field: 'v' };
  const isSmall = (aggregates: AggregatesSpec): boolean => {
    const { plain, compiled } = forms(aggregates);
    const [a, b] = [plain, compiled].map((form) => form.isSmall!(form.create(row, 1, { v: 1 })));
    assert.equal(a, b);
    return a!;
  };
  for (const name of ['count', 'sum', 'avg', 'max', 'minBy', 'first', 'last', 'variance'] as const)
    assert.equal(isSmall({ it: { name, value: field } }), true, name);
  assert.equal(isSmall({ it: { name: 'topN', n: 3, value: field }, other: anew }), true);
  for (const it of [
    { name: 'collect' },
    { name: 'topN', n: 100, value: field },
    { name: 'quantile', p: 0.5, value: field },
    { name: 'countDistinct', approximate: true, value: field },
    inPlace,
  ] as const)
    assert.equal(isSmall({ n: { name: 'count' }, it }), false, it.name);
});
