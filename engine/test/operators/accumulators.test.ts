// Built-in aggregates: the compiled form is the plain form, and both say clearly what they cannot use.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FunctionTable } from '../../graph/plan.ts';
import {
  type AggregatesSpec,
  type Contents,
  plainAccumulators,
  planAccumulators,
} from '../../operators/accumulators.ts';
import { compileAccumulators } from '../../operators/compiled-accumulators.ts';
import type { Keyed } from '../../state/changed-groups.ts';

const functions = new FunctionTable();
const double = { uid: 'it', slot: 'double', textHash: '' };
functions.set(double, (element: { v: number }) => element.v * 2);

const row = { customer: 'ann' };
const bounds = [new Date(0), new Date(60_000)] as const;

function forms(aggregates: AggregatesSpec): { plain: Contents<Keyed>; compiled: Contents<Keyed> } {
  const plan = planAccumulators(aggregates, functions, 'it');
  const plain = plainAccumulators(plan) as unknown as Contents<Keyed>;
  return { plain, compiled: compileAccumulators(plan, ['customer'], true, 'it') };
}
/** The result over all elements; halfway through it goes through a snapshot. */
function folded(contents: Contents<Keyed>, elements: readonly unknown[]): unknown {
  let accumulated = contents.create(row, 1, elements[0]);
  elements.slice(1).forEach((element, index) => {
    if (index === elements.length >> 1) {
      const columns = Array.from({ length: contents.columns }, (): unknown[] => []);
      contents.pack(accumulated, columns);
      accumulated = contents.unpack(row, 2, structuredClone(columns), 0);
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

const aggregate = fc.oneof(
  fc.constant({ name: 'count' as const }),
  fc.record({
    name: fc.constantFrom('sum', 'avg', 'min', 'max'),
    value: fc.constantFrom({ field: 'v' }, { field: 'w' }, { fn: double }),
  }),
);
const someAggregates = fc.dictionary(fc.constantFrom('n', 'total', 'a b', '"', '__proto__', 'é'), aggregate, {
  minKeys: 1,
  noNullPrototype: true,
});
const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true }), fc.constantFrom(-0, 0));
const odd = fc.constantFrom<unknown[]>(undefined, null, NaN, '5', 5n, true, new Date(3), new Date(NaN));

test('law: the compiled form is the plain form, over any aggregates and elements, wrong ones included', () => {
  fc.assert(
    fc.property(
      someAggregates,
      fc.array(fc.record({ v: number, w: fc.oneof({ weight: 5, arbitrary: number }, { weight: 1, arbitrary: odd }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      (aggregates, elements) => {
        const { plain, compiled } = forms(aggregates);
        assert.equal(compiled.columns, plain.columns);
        assert.deepEqual(
          outcome(() => folded(compiled, elements)),
          outcome(() => folded(plain, elements)),
        );
      },
    ),
    { numRuns: 1000 },
  );
});

test('law: merging is adding, however the elements are split; and what is merged stays as it is', () => {
  fc.assert(
    fc.property(
      someAggregates,
      // Whole numbers: sums of fractions depend on the order of the additions.
      fc.array(fc.array(fc.record({ v: fc.integer(), w: fc.integer() }), { minLength: 1, maxLength: 4 }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.boolean(),
      (aggregates, parts, isCompiled) => {
        const { plain, compiled } = forms(aggregates);
        const contents = isCompiled ? compiled : plain;
        const expected = folded(contents, parts.flat());
        const accumulators = parts.map(([first, ...rest]) => {
          const accumulator = contents.create(row, 1, first);
          rest.forEach((element) => contents.add(accumulator, element));
          return accumulator;
        });
        const before = accumulators.map((accumulator) => contents.result(accumulator));
        const mergedFrom = (from: number) => {
          const merged = contents.copy(accumulators[from]!, 1);
          accumulators.slice(from + 1).forEach((accumulator) => contents.merge!(merged, accumulator));
          return merged;
        };
        assert.deepEqual(contents.result(mergedFrom(0), ...bounds), expected);
        if (parts.length > 1) {
          const nested = contents.copy(accumulators[0]!, 1);
          contents.merge!(nested, mergedFrom(1));
          assert.deepEqual(contents.result(nested, ...bounds), expected);
        }
        assert.deepEqual(
          accumulators.map((accumulator) => contents.result(accumulator)),
          before,
        );
      },
    ),
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
        'Aggregate "total" needs a number from "v", but the record gives undefined. Filter such records out, or give them a value with map().';
      assert.throws(() => all([{}], total), { code: 'bad-value', message });
      assert.throws(() => all([{ v: 1 }, {}], total), { code: 'bad-value', message });
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
    ['count', 'sum', 'max'],
  );
});
