// Aggregates that keep more than a number: their results and precision, the first and last element,
// and errors.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import type { AggregateSpec } from '../../graph/aggregate-spec.ts';
import { planAccumulators } from '../../aggregates/accumulator-plan.ts';
import { compileAccumulators } from '../../aggregates/compiled-accumulators.ts';
import { estimatedCount, hyperLogLog } from '../../aggregates/kept/hyper-log-log.ts';
import { moments, stddev, variance } from '../../aggregates/kept/moments.ts';
import { quantileError, quantileOf, quantileSketch } from '../../aggregates/kept/quantile-sketch.ts';
import type { Kept } from '../../aggregates/kept/kept.ts';
import type { Keyed } from '../../state/keyed.ts';
import { valueOf } from '../../values/value-reader.ts';
import { valueBytes } from '../../values/value-writer.ts';
import { copied } from '../../values/copied.ts';
import { described } from '../../values/kind.ts';

function kept<S>(kind: Kept<S>, values: readonly unknown[]): S {
  return values
    .slice(1)
    .reduce<S>((all, value) => kind.add(all, value, value, 0), kind.create(values[0], values[0], 0));
}
/** The result of one aggregate over elements {v}. */
function resultOf(spec: AggregateSpec | AggregateSpec['name'], values: readonly unknown[]): unknown {
  const aggregate = (typeof spec === 'string' ? { name: spec, value: { field: 'v' } } : spec) as AggregateSpec;
  const contents = compileAccumulators<Keyed>(
    planAccumulators({ it: aggregate }, new FunctionTable(), 'it'),
    [],
    false,
    'it',
  );
  const elements = values.map((v, n) => ({ v, n }));
  const accumulated = contents.create({}, 1, elements[0]);
  elements.slice(1).forEach((element) => contents.add(accumulated, element));
  return (contents.result(accumulated) as { it: unknown }).it;
}

describe('variance and stddev', () => {
  test('are those of a sample', () => {
    assert.equal(resultOf('variance', [2, 4, 4, 4, 5, 5, 7, 9]), 32 / 7);
    assert.equal(resultOf('stddev', [2, 4, 4, 4, 5, 5, 7, 9]), Math.sqrt(32 / 7));
    assert.equal(resultOf('variance', [5, 5, 5]), 0);
    assert.ok(Number.isNaN(resultOf('variance', [5])), 'one element has no spread');
  });
  test('keep their precision far from zero, where a sum of squares loses it', () => {
    assert.equal(resultOf('variance', [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]), 30);
  });
  test('law: merged in any way they are within 1e-9 of what two passes give', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), { minLength: 1 }),
        (parts) => {
          const values = parts.flat();
          fc.pre(values.length > 1);
          const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
          const expected = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
          const all = parts.map((part) => kept(moments, part)).reduce((a, b) => moments.merge!(a, b));
          const scale = Math.max(...values.map((x) => x * x), 1);
          assert.ok(Math.abs(variance(all)! - expected) <= 1e-9 * scale);
          assert.ok(Math.abs(stddev(all)! - Math.sqrt(expected)) <= 1e-4 * Math.sqrt(scale));
        },
      ),
    );
  });
});

describe('quantile', () => {
  const anyValue = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.constantFrom(0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE),
  );
  test('law: it is within 1 % of the value of its rank, over all numbers there are', () => {
    fc.assert(
      fc.property(
        fc.array(anyValue, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, p) => {
          const exact = values.toSorted((a, b) => a - b)[Math.floor(p * (values.length - 1))]!;
          const given = quantileOf(kept(quantileSketch, values), p)!;
          // 1e-9: logarithms are rounded.
          assert.ok(Math.abs(given - exact) <= quantileError * Math.abs(exact) * (1 + 1e-9), `${given} for ${exact}`);
        },
      ),
      { numRuns: 1000 },
    );
  });
  test('law: merged sketches are the sketch of everything', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyValue, { minLength: 1 }), { minLength: 1 }), (parts) => {
        const merged = parts.map((part) => kept(quantileSketch, part)).reduce((a, b) => quantileSketch.merge!(a, b));
        const whole = kept(quantileSketch, parts.flat());
        for (const p of [0, 0.1, 0.5, 0.99, 1]) assert.equal(quantileOf(merged, p), quantileOf(whole, p));
      }),
    );
  });
  test('0 and -0 are one value, whichever comes first', () => {
    for (const values of [
      [0, -0],
      [-0, 0],
      [-0, -0],
    ]) {
      const merged = quantileSketch.merge!(kept(quantileSketch, [values[0]]), kept(quantileSketch, [values[1]]));
      for (const p of [0, 1])
        for (const sketch of [merged, kept(quantileSketch, values)]) assert.equal(quantileOf(sketch, p), 0);
    }
  });
  test('gives the ends exactly', () => {
    assert.equal(resultOf({ name: 'quantile', p: 0, value: { field: 'v' } }, [3, 1.7, 9.9]), 1.7);
    assert.equal(resultOf({ name: 'quantile', p: 1, value: { field: 'v' } }, [3, 1.7, 9.9]), 9.9);
    assert.equal(resultOf({ name: 'quantile', p: 0.5, value: { field: 'v' } }, [7]), 7);
  });
  test('takes no more bins than its limit', () => {
    const values = Array.from({ length: 200_000 }, (_, n) => 1.0001 ** (n % 138_000));
    assert.ok(kept(quantileSketch, values).positive.size <= 691);
  });
});

describe('countDistinct', () => {
  const exactly = { name: 'countDistinct', approximate: false, value: { field: 'v' } } as const;
  const roughly = { ...exactly, approximate: true } as const;
  const odd = [1, '1', 1n, true, null, -0, 0, new Date(1), new Date(1), [1], ['1'], { a: 1, b: 2 }, { b: 2, a: 1 }];
  test('distinguishes values as keys are distinguished, and does not count null', () => {
    for (const spec of [exactly, roughly]) {
      assert.equal(resultOf(spec, odd), 9);
      assert.equal(resultOf(spec, [null, null]), 0);
      assert.equal(resultOf(spec, [new Uint8Array([1]), new Uint8Array([1]), new Uint8Array([2])]), 2);
    }
  });
  test('is within its stated error when approximate: exact up to 256, then 1.6 % for two thirds of all counts', () => {
    for (const n of [1, 100, 256])
      assert.equal(resultOf(roughly, [...Array(n).keys(), ...Array(n).keys()]), n, `${n} values, each twice`);
    const errors = [300, 1000, 5000, 20_000, 100_000].flatMap((n) =>
      Array.from({ length: 20 }, (_, run) => {
        const values = Array.from({ length: n }, (_, at) => (run % 2 === 0 ? `${run}/${at}` : run * 1e6 + at));
        return estimatedCount(kept(hyperLogLog, values)) / n - 1;
      }),
    );
    // Ertl's estimator with 4,096 registers: 1.04 / √4096.
    const distinctError = 0.01625;
    const squares = errors.reduce((sum, error) => sum + error * error, 0);
    assert.ok(Math.sqrt(squares / errors.length) < distinctError * 1.15, 'the standard error');
    assert.ok(Math.max(...errors.map(Math.abs)) < distinctError * 4);
    assert.ok(Math.abs(errors.reduce((sum, error) => sum + error, 0) / errors.length) < distinctError / 2, 'no bias');
  });
  test('law: merged in any way it is the count of everything', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.integer({ min: 1, max: 600 })), { minLength: 1, maxLength: 6 }),
        (ranges) => {
          const parts = ranges.map(([from, length]) => Array.from({ length }, (_, at) => from + at));
          const merged = parts.map((part) => kept(hyperLogLog, part)).reduce((a, b) => hyperLogLog.merge!(a, b));
          assert.deepEqual(merged, kept(hyperLogLog, parts.flat()));
        },
      ),
      { numRuns: 30 },
    );
  });
  test('keeps 4 KB at most when approximate', () => {
    const many = kept(hyperLogLog, [...Array(10_000).keys()]);
    assert.deepEqual([many.hashes, many.registers?.byteLength], [undefined, 4096]);
  });
});

describe('who came first', () => {
  test('decides between equal values, and is first', () => {
    assert.deepEqual(resultOf('maxBy', [1, 3, 2, 3]), { v: 3, n: 1 });
    assert.deepEqual(resultOf('minBy', [2, 1, 1]), { v: 1, n: 1 });
    assert.equal(resultOf('first', [5, 9, 7]), 5);
    assert.equal(resultOf('last', [5, 9, 7]), 7);
    assert.equal(resultOf('first', [null, 9]), null);
    assert.deepEqual(resultOf({ name: 'topN', n: 3, value: { field: 'v' } }, [1, 3, 2, 3, 2, 2]), [
      { v: 3, n: 1 },
      { v: 3, n: 3 },
      { v: 2, n: 2 },
    ]);
    assert.deepEqual(resultOf('collect', ['b', null, 'a']), ['b', null, 'a']);
  });
  test('is remembered in a snapshot', () => {
    const plan = planAccumulators({ last: { name: 'last', value: { field: 'v' } } }, new FunctionTable(), 'it');
    const make = () => compileAccumulators<Keyed>(plan, [], false, 'it');
    const before = make();
    const a = before.create({}, 1, { v: 1 });
    before.add(a, { v: 2 });
    const content = valueOf(valueBytes(before.pack(a))) as readonly unknown[];
    const after = make();
    const restored = after.unpack({}, 1, content);
    const later = after.create({}, 1, { v: 3 });
    after.merge!(later, restored);
    assert.deepEqual(after.result(later), { last: 3 });
  });
});

describe('results', () => {
  test('do not change when more elements come', () => {
    const functions = new FunctionTable();
    const reference = (slot: string, run: unknown) => {
      const made = { uid: 'it', slot, textHash: '' };
      functions.set(made, run);
      return made;
    };
    const spec: AggregateSpec = {
      name: 'aggregator',
      create: reference('create', () => ({ seen: [] })),
      add: reference('add', (kept: { seen: unknown[] }, { v }: { v: unknown }) => {
        kept.seen.push(v);
        return kept;
      }),
      result: reference('result', ({ seen }: { seen: unknown[] }) => seen),
    };
    const collect: AggregateSpec = { name: 'collect', value: { field: 'v' } };
    const top: AggregateSpec = { name: 'topN', n: 3, value: { field: 'v' } };
    const plan = planAccumulators({ spec, collect, top }, functions, 'it');
    const contents = compileAccumulators<Keyed>(plan, [], false, 'it');
    assert.equal(contents.merge, undefined, 'one of them cannot merge');
    const accumulated = contents.create({}, 1, { v: 1 });
    const one = contents.result(accumulated);
    const copy = contents.copy(accumulated, 1);
    contents.add(accumulated, { v: 2 });
    assert.deepEqual(one, { spec: [1], collect: [1], top: [{ v: 1 }] });
    assert.deepEqual(contents.result(copy), one);
    assert.deepEqual(contents.result(accumulated), { spec: [1, 2], collect: [1, 2], top: [{ v: 2 }, { v: 1 }] });
  });
});

describe('what cannot be used is named', () => {
  class Money {
    readonly cents = 5;
  }
  for (const [spec, value, message] of [
    ['minBy', '5', /Aggregate "it" needs a number from "v", but the record gives "5"/],
    ['variance', Infinity, /needs a finite number from "v", but the record gives Infinity/],
    [{ name: 'quantile', p: 0.5, value: { field: 'v' } }, NaN, /needs a finite number from "v", .* gives NaN/],
    [{ name: 'topN', n: 2, value: { field: 'v' } }, true, /needs a number from "v", but the record gives true/],
    [
      { name: 'countDistinct', approximate: false, value: { field: 'v' } },
      NaN,
      /needs a string, finite number, .* from "v", but the record gives NaN/,
    ],
    ['last', new Money(), /What aggregate "it" keeps is an object of class Money/],
    ['collect', new Money(), /What aggregate "it" keeps is an object of class Money/],
  ] as const)
    test(`${typeof spec === 'string' ? spec : spec.name} of ${described(value)}`, () => {
      assert.throws(() => resultOf(spec, [value]), { message });
      assert.throws(() => resultOf(spec, [1, value]), { message });
    });
  test('maxBy of a class instance, when it is to be kept', () => {
    const plan = planAccumulators({ it: { name: 'maxBy', value: { field: 'cents' } } }, new FunctionTable(), 'it');
    const contents = compileAccumulators<Keyed>(plan, [], false, 'it');
    const kept = contents.create({}, 1, { cents: 7 });
    contents.add(kept, new Money());
    assert.deepEqual(contents.result(kept), { it: { cents: 7 } });
    assert.throws(() => contents.create({}, 1, new Money()), { code: 'not-storable' });
  });
});

test('a copy shares nothing that can be changed', () => {
  const value = {
    a: [1, { b: 2n }],
    d: new Date(5),
    m: new Map([['x', { y: 1 }]]),
    s: new Set([1]),
    u: new Uint8Array(2),
  };
  const copy = copied(value);
  assert.deepEqual(copy, value);
  copy.a.push(1);
  copy.d.setTime(6);
  copy.m.get('x')!.y = 2;
  copy.s.add(2);
  copy.u[0] = 1;
  assert.deepEqual(value, {
    a: [1, { b: 2n }],
    d: new Date(5),
    m: new Map([['x', { y: 1 }]]),
    s: new Set([1]),
    u: new Uint8Array(2),
  });
  assert.deepEqual(Object.keys(copied(JSON.parse('{"__proto__":1}') as object)), ['__proto__']);
});
