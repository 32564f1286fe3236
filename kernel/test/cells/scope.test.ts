// Names between cells, by resolved symbols.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Resolver } from '../../cells/resolution.ts';
import {
  capturedAssignments,
  cycles,
  duplicateIds,
  duplicateNames,
  foreignAssignments,
  scopesOf,
  usesBeforeDefinition,
} from '../../cells/scope.ts';

const resolve = (cells: Readonly<Record<string, string>> | readonly (readonly [string, string])[]) =>
  new Resolver().resolve(
    (Array.isArray(cells) ? (cells as [string, string][]) : Object.entries(cells as Record<string, string>)).map(
      ([id, text]) => ({ id, kind: 'code', text }),
    ),
  );
const usesOf = (text: string, a = 'const orders = 1;\nlet n = 0;\ntype Order = number;\nclass K {}\nenum E { A }') =>
  scopesOf(resolve({ a, b: text }))[1]!.uses.map(({ name }) => name);

const uses: Readonly<Record<string, readonly string[]>> = {
  'orders;': ['orders'],
  'const f = () => orders + n;': ['orders', 'n'],
  'const o = { orders };': ['orders'],
  'const o = { orders: 1 }; o.orders;': [],
  'const f = (orders: Order) => orders;': [],
  'const f = ({ orders }: { orders: number }) => orders;': [],
  'const { orders: mine } = { orders: 1 };': [],
  'const { x = orders } = { x: 1 };': ['orders'],
  '{ const orders = 2; orders; }': [],
  'let x: typeof orders;': [],
  'let x: Order; let y: K; let z: E.A;': [],
  'new K(); E.A;': ['K', 'E'],
  'class L extends K {}': ['K'],
  'class L implements K {}': [],
  'interface L extends K {}': [],
  'export { orders as mine };': ['orders'],
  'export default orders;': ['orders'],
  'orders: for (;;) break orders;': [],
  'for (const orders of [1]) orders;': [],
  'try {} catch (orders) { orders; }': [],
  'function f(x = orders) { return x; }': ['orders'],
  'const s = `${orders}`;': ['orders'],
  'n as Order; <Order>n; n satisfies Order;': ['n'],
  'orders.toString().length;': ['orders'],
  'const x = { [n]: 1 };': ['n'],
  'declare const orders2: typeof orders;': [],
  'function g() { return orders; var orders; }': [],
};
for (const [text, expected] of Object.entries(uses))
  test(`uses of other cells in: ${text}`, () => assert.deepEqual(usesOf(text), expected));

test('what a cell declares, with what kind of name it is', () => {
  const [scope] = scopesOf(
    resolve({
      a: `import def, { sum, type Stream, Row } from 'sluice';\nimport * as all from './x.ts';\nimport type { T } from './t.ts';
const { a, b: [c, ...d] } = x; let e; var f; function g() {} class H {} enum I {} interface J {} type K = Row;
namespace L { export const x = 1; } namespace M { export type X = 1; } declare const n: number;
for (var o of []) { var p; let q; } export const r = 1; export default function s() { var t; }`,
    }),
  );
  assert.deepEqual(
    scope!.declares.map(({ name, kind, isValue }) => `${kind} ${name}${isValue ? '' : ' (type)'}`),
    [
      ...['import def', 'import sum', 'import Stream (type)', 'import Row (type)', 'import all', 'import T (type)'],
      ...['const a', 'const c', 'const d', 'let e', 'var f', 'function g', 'class H', 'enum I', 'type J (type)'],
      ...[
        'type K (type)',
        'namespace L',
        'namespace M (type)',
        'const n (type)',
        'var o',
        'var p',
        'const r',
        'function s',
      ],
    ],
  );
});

test('a name that two cells declare is an error with both cells, unless it is an interface or a type beside a value', () => {
  const problems = duplicateNames(
    resolve({
      windows: 'const totals = 1; interface Row { a: 1 } type Both = 1;',
      view: '\nconst totals = 2; interface Row { b: 1 } const Both = 2;',
      other: "import { sum } from 'sluice'; function over(): void; function over(x?: 1) {}",
      last: "import { sum } from 'sluice';",
    }),
  );
  assert.deepEqual(
    problems.map(({ cell, offset, message }) => [cell, offset, message]),
    [
      [1, 7, 'Cell "view": totals is already defined in cell "windows". Rename one of them.'],
      [3, 9, 'Cell "last": sum is already defined in cell "other". Rename one of them.'],
    ],
  );
});

test('a circle of cells is reported once, with its path', () => {
  const scopes = scopesOf(
    resolve({
      a: 'const x = () => z;',
      b: 'const y = x;',
      c: 'const z = y; const own = () => own;',
      d: 'const w = z;',
    }),
  );
  assert.deepEqual(
    cycles(scopes).map(({ cell, message }) => [cell, message]),
    [[1, 'Cells a → c → b → a depend on each other. Move one of the definitions.']],
  );
});

test('ids that are there twice', () => {
  const problems = duplicateIds(
    resolve([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ]),
  );
  assert.deepEqual(
    problems.map(({ cell, message }) => [cell, message]),
    [[2, 'Two cells have the id "a". The later one does not run until it has another id.']],
  );
});

test('assignments to what another cell owns, in every form', () => {
  const resolution = resolve({
    a: 'let n = 0; let m = 0;',
    b: 'n = 1; n += 1; n++; --n; [n] = [1]; ({ n } = { n: 1 }); ({ x: n } = { x: 1 }); for (n of [1]) {} (n as any) = 2; [...n] = []; ({ ...m } = {}); [m = 2] = [];',
    c: 'let k = n; k = n; k.n = n; const f = (n: number) => { n = 2; };',
  });
  const problems = foreignAssignments(resolution);
  assert.deepEqual(
    problems.map(({ cell }) => cell),
    Array.from({ length: 12 }, () => 1),
  );
  assert.equal(
    problems[0]!.message,
    'Cell "b": only cell "a" may assign to n. Assign it there, or declare another name in this cell.',
  );
});

test('a function that assigns to what it captures, and not to its own', () => {
  const text = `let n = 0;
n = 1;
const f = () => { n++; };
function g() { let n = 1; n = 2; const h = () => { n = 3; }; }
class C { m() { n = 4; } }`;
  const problems = capturedAssignments(resolve({ a: text }));
  assert.deepEqual(
    problems.map(({ offset }) => offset),
    [text.indexOf('n++'), text.indexOf('n = 4')],
  );
});

test('a use above its definition, unless a function looks when it is called', () => {
  const problems = usesBeforeDefinition(
    resolve({ a: 'b; f(); const later = () => b; K;', c: 'const b = 1; function f() {} class K {}' }),
  );
  assert.deepEqual(
    problems.map(({ cell, offset }) => [cell, offset]),
    [
      [0, 0],
      [0, 31],
    ],
  );
});

test('asking again about the same texts gives the same answer object; an edit another', () => {
  const resolver = new Resolver();
  const cells = [{ id: 'a', kind: 'code' as const, text: 'const a = 1;' }];
  const first = resolver.resolve(cells);
  assert.equal(resolver.resolve([...cells]), first);
  const edited = resolver.resolve([{ ...cells[0]!, text: 'const b = 1;' }]);
  assert.deepEqual(
    edited.declared.map(({ name }) => name),
    ['b'],
  );
});
