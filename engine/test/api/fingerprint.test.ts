// Fingerprints. Two functions have the same hash exactly if they have the same text and the same
// captures.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import ts from 'typescript';
import { test } from 'vitest';
import { annotateFunction, functionHash, hashValue, ownHash } from '../../graph/fingerprint.ts';
import { from } from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

/**
 * Compiles as the kernel does: removes types and comments. In the text each function literal is
 * annotated by hand.
 */
function compile(text: string, scope: Record<string, unknown> = {}): unknown {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.ESNext,
      removeComments: true,
      alwaysStrict: false,
    },
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a cell's text becomes functions
  const make = new Function(...Object.keys(scope), `return ${outputText}`) as (...values: unknown[]) => unknown;
  return make(...Object.values(scope));
}
/** The own hash of a map over this function. */
const ownOf = (fn: unknown, captures?: string): string =>
  nodeOf(
    evaluate(() => void from([1]).map(fn as (n: number) => number), captures === undefined ? {} : { captures }),
    'map',
  ).own;

test('comments and types change no fingerprint', () => {
  const plain = compile('(order) => order.amount * 2');
  const commented = compile('(order: { amount: number }) => /* twice */ order.amount * 2 // chf');
  assert.equal(ownOf(commented), ownOf(plain));
  assert.notEqual(ownOf(compile('(order) => order.amount * 3')), ownOf(plain));
});

test('line endings change no fingerprint', () => {
  assert.equal(ownOf(compile('(n) => {\r\n  return n;\r\n}')), ownOf(compile('(n) => {\n  return n;\n}')));
});

test('a captured constant is part of the fingerprint', () => {
  const withLimit = (limit: unknown) =>
    annotateFunction(
      (n: number) => n > (limit as number),
      () => [limit],
    );
  assert.equal(ownOf(withLimit(100)), ownOf(withLimit(100)));
  assert.notEqual(ownOf(withLimit(100)), ownOf(withLimit(101)));
  assert.equal(ownOf(withLimit({ a: [1, 2n], at: new Date(5) })), ownOf(withLimit({ at: new Date(5), a: [1, 2n] })));
  assert.notEqual(ownOf(withLimit({ a: [1, 2n] })), ownOf(withLimit({ a: [1, 3n] })));
});

test('the values that count are those at the time the plan is taken', () => {
  let limit = 1;
  const own = (change: () => void) => {
    limit = 1;
    const fragment = evaluate(() => {
      from([1]).map(
        annotateFunction(
          (n: number) => n + limit,
          () => [limit],
        ),
      );
      change();
    });
    return nodeOf(fragment, 'map').own;
  };
  assert.notEqual(
    own(() => (limit = 2)),
    own(() => {}),
  );
});

test('a constant that is declared below its first use is no error', () => {
  const builderSees: string[] = [];
  evaluate((_set, builder) => {
    from([1]).map(
      annotateFunction(
        (n: number) => n + below,
        () => [below],
      ),
    );
    builderSees.push(nodeOf(builder.fragment(), 'map').own);
    const below = 2;
    builderSees.push(nodeOf(builder.fragment(), 'map').own);
  });
  assert.notEqual(builderSees[0], builderSees[1]);
});

test('what a captured function captures counts too, as deep as it goes', () => {
  const nested = (rate: number) => {
    const toFrancs = annotateFunction(
      (n: number) => n * rate,
      () => [rate],
    );
    const twice = annotateFunction(
      (n: number) => toFrancs(n) * 2,
      () => [toFrancs],
    );
    return annotateFunction(
      (n: number) => twice(n),
      () => [twice],
    );
  };
  assert.equal(functionHash(nested(0.95)), functionHash(nested(0.95)));
  assert.notEqual(functionHash(nested(0.95)), functionHash(nested(0.96)));
});

test('methods capture what their object literal captures', () => {
  const process = (limit: number) =>
    annotateFunction(
      {
        *onElement(n: number) {
          if (n > limit) yield n;
        },
      },
      () => [limit],
    );
  const own = (limit: number) =>
    nodeOf(
      evaluate(
        () =>
          void from([1])
            .keyBy((n) => n)
            .process(process(limit)),
      ),
      'process',
    ).own;
  assert.equal(own(1), own(1));
  assert.notEqual(own(1), own(2));
});

test('functions that call each other have one fingerprint, whichever is asked for first', () => {
  const pair = (limit: number) => {
    const even: (n: number) => boolean = annotateFunction(
      (n: number) => n === limit || odd(n - 1),
      () => [odd, limit],
    );
    const odd: (n: number) => boolean = annotateFunction(
      (n: number) => n !== limit && even(n - 1),
      () => [even, limit],
    );
    return { even, odd };
  };
  const a = pair(0);
  const b = pair(0);
  functionHash(b.odd);
  assert.equal(functionHash(a.even), functionHash(b.even));
  assert.equal(functionHash(a.odd), functionHash(b.odd));
  assert.notEqual(functionHash(a.even), functionHash(pair(1).even));
  // Both must be in one hash: the cached hash of one must not depend on an earlier visit of the
  // other.
  assert.equal(hashValue([a.even, a.odd, a.even]), hashValue([b.even, b.odd, b.even]));
  const [first, second] = [hashValue([a.odd, a.even]), hashValue([b.odd, b.even])];
  assert.equal(first, second);
});

test('a helper shared by many levels is looked at once', () => {
  let reads = 0;
  let level: (n: number) => number = (n) => n;
  for (let depth = 0; depth < 40; depth++) {
    const below = level;
    level = annotateFunction(
      (n: number) => below(n) + below(n),
      () => {
        reads++;
        return [below, below];
      },
    );
  }
  functionHash(level);
  assert.equal(reads, 40);
});

test('a function without a list of its captures has the captures of its cell', () => {
  const unknown = (n: number): number => n;
  assert.notEqual(ownOf(unknown, 'cell text 1'), ownOf(unknown, 'cell text 2'));
  assert.equal(ownOf(unknown, 'cell text 1'), ownOf(unknown, 'cell text 1'));
  const annotated = annotateFunction(
    (n: number): number => n,
    () => [],
  );
  assert.equal(ownOf(annotated, 'cell text 1'), ownOf(annotated, 'cell text 2'));
});

test('an instance with private fields is opaque: the cell’s captures stand for it', () => {
  class Model {
    readonly #rate: number;
    constructor(rate: number) {
      this.#rate = rate;
    }
    score(n: number): number {
      return n * this.#rate;
    }
  }
  const model = new Model(0.1);
  const scored = annotateFunction(
    (n: number) => model.score(n),
    () => [model],
  );
  assert.notEqual(ownOf(scored, 'cell text 1'), ownOf(scored, 'cell text 2'));
});

test('an operator that moves to another place keeps its own hash', () => {
  const own = (variable: string, extra: boolean) => {
    const fragment = evaluate((set) => {
      set(variable);
      const source = from([1]);
      if (extra) source.filter((n) => n > 0);
      source.keyBy((n) => n).aggregate({});
    });
    return fragment.nodes;
  };
  assert.throws(() => own('a', false), /at least one/);
  const fn = (uid: string) => ({ fn: { uid, slot: 'fn', textHash: 'h' } });
  assert.equal(ownHash('map', fn('a/map#1')), ownHash('map', fn('b/map#7')));
  assert.notEqual(ownHash('map', fn('a')), ownHash('filter', fn('a')));
  assert.equal(ownHash('kafka', { topic: 't', rate: undefined }), ownHash('kafka', { topic: 't' }));
});

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, undefined, true, false, 0, -0, NaN, Infinity, '', 'a', 1n, -1n),
    fc.double(),
    fc.string(),
    fc.bigInt(),
    fc.date(),
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
    fc.array(fc.tuple(fc.string(), tie('value'))).map((entries) => new Map(entries)),
    fc.array(fc.string()).map((values) => new Set(values)),
  ),
})).value;

test('equal data has equal hashes', () => {
  fc.assert(fc.property(data, (value) => hashValue(value) === hashValue(structuredClone(value))));
});

test('different data has different hashes', () => {
  fc.assert(
    fc.property(data, data, (a, b) => {
      return deepEqual(a, b) === (hashValue(a) === hashValue(b));
    }),
    { numRuns: 2_000 },
  );
});
function deepEqual(a: unknown, b: unknown): boolean {
  try {
    assert.deepStrictEqual(sorted(a), sorted(b));
    return true;
  } catch {
    return false;
  }
}
/**
 * deepStrictEqual ignores the order in maps and sets. Here the order counts, because a function
 * that iterates sees it.
 */
function sorted(value: unknown): unknown {
  if (value instanceof Map) return { map: [...value].map(sorted) };
  if (value instanceof Set) return { set: [...value] };
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sorted(inner)]));
}

test('values that look alike have different fingerprints', () => {
  const alike = [
    1,
    '1',
    1n,
    true,
    'true',
    null,
    'null',
    undefined,
    [],
    {},
    [[]],
    [[], []],
    '',
    [''],
    { a: 1 },
    { a: '1' },
    { a: undefined },
    new Date(1),
    new Map(),
    new Set(),
    new Map([['a', 1]]),
    [['a', 1]],
    new Uint8Array([1]),
    new Int8Array([1]),
    [1],
    /a/,
    /a/g,
    '/a/',
    Symbol('a'),
    new Error('a'),
    new Error('b'),
    -0,
    0,
    NaN,
  ];
  assert.equal(new Set(alike.map((value) => hashValue(value))).size, alike.length);
});

test('cycles end', () => {
  const ring = (name: string) => {
    const first: Record<string, unknown> = { name };
    first['next'] = { back: first };
    return first;
  };
  assert.equal(hashValue(ring('a')), hashValue(ring('a')));
  assert.notEqual(hashValue(ring('a')), hashValue(ring('b')));
});

test('what throws when it is read is passed over', () => {
  const moody = {
    get mood(): number {
      throw new Error('not today');
    },
  };
  assert.equal(hashValue(moody), hashValue(moody));
});
