// The sinks of a job: their delivery, where their problems stand, and their places in its graph.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { checked, removedAfterTheFile, source } from './checked-notebook.ts';

removedAfterTheFile();

test('exactly-once needs event time somewhere above the sink', () => {
  const text = (options: string): string => `// %% id=out
import { count, kafka, tumbling } from 'sluice';
const totals = kafka<{ k: string; at: number }>('orders'${options}).keyBy('k').window(tumbling('1s', { time: 'processing' })).aggregate({ n: count() });
totals.to('totals', { delivery: 'exactly-once' });
totals.to('others', { connection: 'prod' });
`;
  const { problems, exported } = checked(text(''));
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^out 3:1 error exactly-once-by-clock /);
  assert.deepEqual(checked(text(", { timestamp: 'at' }")).problems, []);
  assert.deepEqual(exported.connections, ['', 'prod']);
});

test('the delivery of a sink is known behind names, and a choice of several is a warning', () => {
  const text = (definition: string, options: string, source = ''): string => `// %% id=out
import { count, kafka, param, tumbling } from 'sluice';
${definition}
const clock = { time: 'processing' } as const;
const totals = kafka<{ k: string; at: number }>('orders'${source}).keyBy('k').window(tumbling('1s', clock)).aggregate({ n: count() });
totals.to('totals', ${options});
`;
  const codes = (...given: Parameters<typeof text>): readonly string[] =>
    checked(text(...given)).problems.map((line) => line.split(' ').slice(0, 4).join(' '));
  const error = ['out 5:1 error exactly-once-by-clock'];
  const warning = ['out 5:1 warning exactly-once-by-clock'];
  assert.deepEqual(codes("const delivery = 'exactly-once';", '{ delivery }'), error);
  assert.deepEqual(codes("const options = { delivery: 'exactly-once' } as const;", 'options'), error);
  assert.deepEqual(codes("const options = { delivery: 'exactly-once' } as const;", "{ key: 'k', ...options }"), error);
  assert.deepEqual(codes("const options = { delivery: 'at-least-once' } as const;", 'options'), []);
  const chosen = "const delivery = param('once', true) ? 'exactly-once' : 'none';";
  assert.deepEqual(codes(chosen, '{ delivery }'), warning);
  assert.match(checked(text(chosen, '{ delivery }')).problems[0]!, /This sink may ask for exactly-once/);
  // The timestamp of a sink's records is no event time.
  assert.deepEqual(codes('', "{ delivery: 'exactly-once', timestamp: () => 0 }"), error);
  // Event time behind a name counts too.
  assert.deepEqual(codes("const time = { timestamp: 'at' } as const;", "{ delivery: 'exactly-once' }", ', time'), []);
});

test('what is wrong in a helper module stands at the statement of the cell that brings it in', () => {
  const { problems } = checked(
    `// %% id=other
import { twice } from './twice.ts';
console.log(twice(2));

// %% id=out
import { kafka } from 'sluice';
import { write } from './sinks.ts';
const orders = kafka<{ k: string }>('orders');

  write(orders,
    'totals');
`,
    {
      'twice.ts': 'export const twice = (n: number): number => n * 2;\n',
      'sinks.ts': "export { write } from './writes.ts';\n",
      'writes.ts': `import { count, tumbling, type Stream } from 'sluice';
export function write(rows: Stream<{ k: string }>, topic: string): void {
  const totals = rows.keyBy('k').window(tumbling('1s', { time: 'processing' })).aggregate({ n: count() });
  totals.to(topic, { delivery: 'exactly-once' });
}
`,
    },
  );
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^out 5:3 error exactly-once-by-clock writes\.ts:4: This sink asks for exactly-once/);
});

test('the graph has each edge, also against the order of cells and through functions', () => {
  const { exported, problems } = checked(
    `${source}
// %% id=out
const target = param('target', 'totals');
totals.to(target, { key: 'k' });
totals.toFile(param('file'));
for (const name of ['a', 'b'] as const) save(name);
totals.to(\`t-\${orders}\`);
const written = totals.filter((row) => row.n > 1);
written.sink(() => {});

// %% id=totals
import { param } from 'sluice';
const totals = busy().keyBy('k').window(tumbling('1s')).aggregate({ n: count() });
const busy = () => orders.filter((o) => o.n > 1);
function save(name: 'a' | 'b'): void { orders.toFile(name); }
`,
  );
  assert.deepEqual(problems, []);
  const nameOf = new Map(exported.graph.map(({ id, name }) => [id, name]));
  assert.deepEqual(
    exported.graph.map(({ name, kind, reads }) => `${kind} ${name} <- ${reads.map((id) => nameOf.get(id)).join()}`),
    [
      'stream orders <- ',
      'sink totals (param target) <- totals',
      'sink param file <- totals',
      'sink a or b <- orders',
      'sink `t-${orders}` <- totals,orders',
      'stream written <- totals',
      'sink a function <- written',
      'stream totals <- orders',
    ],
  );
});

test('each part of a statement has the edges of that part', () => {
  const { exported } = checked(
    `${source}
// %% id=two
const clicks = generate({ limit: 10, timestamp: 'at' }, ({ n, now }) => ({ n, at: now }));
const [few, { many: lots, rest: [last] }] = [orders.take(1), { many: clicks.take(9), rest: [clicks.filter((c) => c.n > 1)] }];
const first = orders.map(({ n }) => ({ n })), second = first.take(2);
const split = (): { readonly left: typeof orders; readonly right: typeof clicks } => ({ left: orders, right: clicks });
const { left, right } = split();
const both = [few, lots].map((one) => one.toFile('both'));
[few.toFile('few'), last.toFile('last'), second.toFile('second'), left.toFile('left'), right.toFile('right')];
`,
  );
  const nameOf = new Map(exported.graph.map(({ id, name }) => [id, name]));
  assert.deepEqual(
    exported.graph.map(({ name, verbs, reads }) => `${name} (${verbs}) <- ${reads.map((id) => nameOf.get(id)).join()}`),
    [
      'orders (generate) <- ',
      'clicks (generate) <- ',
      'few (take) <- orders',
      'lots (take) <- clicks',
      'last (filter) <- clicks',
      'first (map) <- orders',
      'second (take) <- first',
      // A function gives both, and it is not known which of its streams is which.
      'left () <- orders,clicks',
      'right () <- orders,clicks',
      'both (toFile) <- few,lots',
      'few (toFile) <- few',
      'last (toFile) <- last',
      'second (toFile) <- second',
      'left (toFile) <- left',
      'right (toFile) <- right',
    ],
  );
});
