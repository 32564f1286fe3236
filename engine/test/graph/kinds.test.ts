// The table of kinds. Every verb makes a kind in the table, and running operators have the traits
// of their kind.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { declareMicroBatches } from '../../api/micro-batches.ts';
import { aggregator, mapState, tumbling } from '../../index.ts';
import * as sluice from '../../index.ts';
import { createSource } from '../../connectors/registry.ts';
import { createSink } from '../../connectors/sinks.ts';
import { chainsOf } from '../../graph/chains.ts';
import {
  canReadNodeAgain,
  collapses,
  isBoundedNode,
  isLeaf,
  isSink,
  isSource,
  isStage,
  type Kind,
  kinds,
  type Traits,
} from '../../graph/kinds.ts';
import { FunctionTable, type Plan, type PlanNode } from '../../graph/plan.ts';
import { createOperator } from '../../runtime/operator-registry.ts';
import { evaluate } from '../api/evaluate.ts';
import { type Given, Program, run, type Step, type Timed } from '../operators/drive.ts';

const all = Object.keys(kinds) as readonly Kind[];
const withTrait = (trait: keyof Traits<Kind>): Kind[] => all.filter((kind) => kinds[kind][trait] !== undefined);
/** A node of the kind. No test reads its parameters. */
const bare = (kind: Kind, parameters: object = {}): PlanNode =>
  ({ id: 'it', uid: 'it', kind, name: 'it', group: '', parameters, own: '', shape: '' }) as PlanNode;

interface Row {
  readonly k: string;
  readonly at: number;
}
/** A cell that calls every verb that makes a node. */
const fragment = evaluate((_set, builder) => {
  const rows: Row[] = [{ k: 'a', at: 1 }];
  const stream = sluice.from(rows, { timestamp: 'at' });
  sluice.generate({ limit: 1 }, ({ n }) => n);
  sluice.file('rows.jsonl');
  sluice.kafka('orders');
  declareMicroBatches(builder);
  stream.map((row) => row);
  stream.filter(() => true);
  stream.flatMap((row) => [row]);
  stream.mapAsync(async (row) => row);
  stream.union(stream);
  stream.take(1);
  stream.assignTimestamps('at');
  stream.pairwise();
  stream.windowAll(tumbling('1s')).aggregate({ n: sluice.count() });
  stream.iterate((loop) => ({ feedback: loop, output: loop }));
  stream.to('topic');
  stream.sink(() => {});
  stream.sink({ begin: () => 0, write: () => {}, preCommit: () => 0, commit: () => {}, abort: () => {} });
  stream.toFile('rows.jsonl');
  stream.connect(stream).map(
    (row) => row,
    (row) => row,
  );
  const onElement = () => [];
  stream
    .connect(stream)
    .keyBy(
      (row) => row.k,
      (row) => row.k,
    )
    .process({ onLeft: onElement, onRight: onElement });
  stream.connect(stream.broadcast()).process({ broadcast: { rules: mapState() }, onElement, onBroadcast: onElement });
  const keyed = stream.keyBy('k');
  keyed.reduce((row) => row);
  keyed.aggregate({ n: aggregator({ create: () => 0, add: (n: number) => n, result: (n) => n }) });
  keyed.process({ onElement });
  keyed.pattern(sluice.pattern<Row>('first')).select(() => 1);
  keyed.window(tumbling('1s')).reduce((row) => row);
  keyed.window(tumbling('1s')).apply(() => []);
  keyed
    .intervalJoin(keyed)
    .between('0s', '1s')
    .select((row) => row);
  keyed
    .join(keyed)
    .window(tumbling('1s'))
    .select((row) => row);
  keyed
    .coGroup(keyed)
    .window(tumbling('1s'))
    .apply(() => []);
  const table = keyed.toTable();
  table.map((row) => row);
  table.filter(() => true);
  table.join(table).select((row) => row);
  table.toStream();
  table.groupBy('k').aggregate({ n: sluice.count() });
  keyed.temporalJoin(table).select((row) => row);
  keyed.temporalJoin(table, { time: 'arrival' }).select((row) => row);
  table.iterateDelta(stream, { key: (row: Row) => ({ k: row.k }), step: () => {} });
  // get() declares its node at once. No job runs here that could answer.
  table.get({ k: 'a' }).catch(() => {});
});

test('every verb makes a kind of the table, and every kind that the host does not give is made by a verb', () => {
  const made = new Set(fragment.nodes.map(({ kind }) => kind));
  assert.deepEqual(
    [...made].filter((kind) => !(kind in kinds)),
    [],
  );
  const hosted = withTrait('isHosted');
  assert.deepEqual(
    all.filter((kind) => !made.has(kind)),
    hosted,
  );
});

test('kinds are spelled in camel case', () => {
  assert.deepEqual(
    all.filter((kind) => !/^[a-z]+([A-Z][a-z]+)*$/.test(kind)),
    [],
  );
});

test('each trait belongs to these kinds', () => {
  const ofRole = (role: string): Kind[] => all.filter((kind) => kinds[kind].role === role);
  assert.deepEqual(ofRole('source'), ['generate', 'from', 'file', 'kafka', 'microBatches', 'harnessInput']);
  assert.deepEqual(ofRole('sink'), ['kafkaSink', 'functionSink', 'twoPhaseSink', 'fileSink']);
  assert.deepEqual(ofRole('leaf'), ['display', 'pull', 'harnessOutput']);
  assert.deepEqual(ofRole('exchange'), ['keyBy']);
  assert.deepEqual(withTrait('isHosted'), ['harnessInput', 'display', 'pull', 'harnessOutput']);
  assert.deepEqual(withTrait('isStage'), ['map', 'filter']);
  assert.deepEqual(withTrait('collapses'), ['keyBy']);
  assert.deepEqual(withTrait('keepsOrigin'), ['flatMap', 'union', 'take', 'assignTimestamps', 'connectMap']);
  assert.deepEqual(withTrait('startsFromTable'), ['tableGroup', 'tableAggregate', 'display']);
  assert.deepEqual(withTrait('keepsKey'), [
    'map',
    'filter',
    'flatMap',
    'union',
    'connectMap',
    'tableMap',
    'tableFilter',
    'tableToStream',
    'harnessOutput',
  ]);
  assert.deepEqual(withTrait('isBounded'), ['generate', 'from', 'file', 'kafka', 'take']);
  assert.deepEqual(withTrait('canReadAgain'), ['generate', 'from', 'file', 'kafka']);
  assert.deepEqual(withTrait('ignoresMicroBatches'), ['microBatches']);
  assert.deepEqual(withTrait('conflates'), ['display']);
  assert.deepEqual(withTrait('isReadByCell'), ['pull']);
  assert.deepEqual(withTrait('opensWindows'), [
    'windowAggregate',
    'windowReduce',
    'windowApply',
    'windowJoin',
    'windowCoGroup',
  ]);
  assert.deepEqual(withTrait('goesByItsInput'), ['take']);
});

test('the questions about a node are answered from the table', () => {
  const asked = { isSource, isSink, isLeaf, isStage, collapses };
  const answers = (kind: Kind): string[] =>
    Object.entries(asked).flatMap(([name, holds]) => (holds(bare(kind)) ? [name] : []));
  assert.deepEqual(answers('kafka'), ['isSource']);
  assert.deepEqual(answers('kafkaSink'), ['isSink']);
  assert.deepEqual(answers('display'), ['isLeaf']);
  assert.deepEqual(answers('map'), ['isStage']);
  assert.deepEqual(answers('keyBy'), ['collapses']);
  assert.deepEqual(answers('reduce'), []);
});

test('whether a source ends, and can be read again, follows from its parameters', () => {
  const ends = (kind: Kind, parameters: object): [ends: boolean, again: boolean] => {
    const node = bare(kind, parameters);
    return [isBoundedNode(node), canReadNodeAgain(node)];
  };
  assert.deepEqual(ends('generate', {}), [false, false]);
  assert.deepEqual(ends('generate', { limit: 0 }), [true, true]);
  assert.deepEqual(ends('from', { replayable: true }), [true, true]);
  assert.deepEqual(ends('from', { replayable: false }), [true, false]);
  assert.deepEqual(ends('file', {}), [true, true]);
  assert.deepEqual(ends('file', { follow: true }), [false, true]);
  assert.deepEqual(ends('kafka', { from: 'latest' }), [false, false]);
  assert.deepEqual(ends('kafka', { from: 'earliest' }), [false, true]);
  assert.deepEqual(ends('kafka', { from: { timestamp: 0 }, until: 'latest' }), [true, true]);
  assert.deepEqual(ends('microBatches', {}), [false, false]);
  assert.deepEqual(ends('take', { n: 1 }), [true, false], 'take ends its branch, but it is no source');
  assert.deepEqual(ends('map', {}), [false, false]);
});

test('an operator whose inputs must be keyed refuses a plan without their keys, and only such a one', () => {
  const key = { fields: ['k'] };
  const isRefused = (kind: Kind, keys: (typeof key | undefined)[]): boolean => {
    try {
      createOperator(bare(kind), new FunctionTable(), keys);
    } catch (error) {
      return /needs a key/.test((error as Error).message);
    }
    return false;
  };
  for (const kind of all.filter((one) => kinds[one].role === 'operator')) {
    const { keyedInputs = 0 } = kinds[kind];
    assert.equal(isRefused(kind, []), keyedInputs > 0, `${kind} without keys`);
    assert.equal(isRefused(kind, [key]), keyedInputs > 1, `${kind} with the key of its first input`);
    assert.equal(isRefused(kind, [key, key]), false, `${kind} with both keys`);
  }
});

test('no function makes what the host gives', () => {
  const functions = new FunctionTable();
  for (const kind of withTrait('isHosted')) {
    assert.throws(() => createSource(bare(kind), functions), /has no source factory/);
    assert.throws(() => createOperator(bare(kind), functions, []), /There is no operator of kind/);
    assert.equal(createSink(bare(kind), functions), undefined);
  }
});

test('what collapses is no task: its key is on the edge', () => {
  const nodes = [bare('from'), bare('keyBy', { key: { fields: ['k'] } }), bare('pairwise')];
  const plan: Plan = {
    version: 1,
    nodes: nodes.map((node) => ({ ...node, id: node.kind })),
    edges: [
      { from: 'from', port: 'out', to: 'keyBy', input: 0, exchange: 'forward' },
      { from: 'keyBy', port: 'out', to: 'pairwise', input: 0, exchange: 'key' },
    ],
  };
  const chains = chainsOf(plan);
  assert.deepEqual(
    chains.map(({ id }) => id),
    ['from', 'pairwise'],
  );
  assert.deepEqual(chains[1]!.inputs, [
    { from: 'from', port: 'out', to: 'pairwise', input: 0, key: { fields: ['k'] } },
  ]);
});

test('operators that keep the key give the same rows when two instances share their elements', () => {
  const n = (value: unknown): number => (value as { n: number }).n;
  const given: Readonly<Partial<Record<Kind, object>>> = {
    map: { fn: n },
    filter: { fn: (value: unknown) => n(value) % 3 !== 0 },
    flatMap: { fn: (value: unknown) => [n(value), -n(value)] },
    union: {},
    connectMap: { left: n, right: n },
    tableMap: { fn: n },
    tableFilter: { fn: (value: unknown) => n(value) % 3 !== 0 },
    tableToStream: {},
  };
  const isTable = (kind: Kind): boolean => kind.startsWith('table');
  const records = (kind: Kind): Timed[] =>
    Array.from({ length: 12 }, (_, at) => [
      isTable(kind) ? { key: [at], row: { n: at }, old: undefined } : { n: at },
      at,
    ]);
  const rowsOf = (kind: Kind, parameters: object, some: readonly Timed[]): string[] => {
    const steps: Step[] = [{ records: some }];
    const outcome: Given[] = run(new Program(kind, { ...parameters }), steps);
    return outcome.flatMap(({ rows }) => rows.map((row) => JSON.stringify(row))).sort();
  };
  // The rows of harnessOutput go to the test and not to an operator.
  const tried = withTrait('keepsKey').filter((kind) => kind !== 'harnessOutput');
  assert.deepEqual(tried, Object.keys(given));
  for (const kind of tried) {
    const [parameters, every] = [given[kind]!, records(kind)];
    const whole = rowsOf(kind, parameters, every);
    assert.ok(whole.length > 0);
    const shares = [0, 1].flatMap((share) =>
      rowsOf(
        kind,
        parameters,
        every.filter((_, at) => at % 2 === share),
      ),
    );
    assert.deepEqual(shares.sort(), whole, kind);
  }
  // An operator that counts does not: two instances of take(1) give two rows.
  const two = [0, 1].flatMap((share) =>
    rowsOf(
      'take',
      { n: 1 },
      records('take').filter((_, at) => at % 2 === share),
    ),
  );
  assert.equal(two.length, 2);
});

test('behind an operator that keeps the origin an error names the offset of its record, behind others it does not', async () => {
  const failAt3 = (value: number): number => {
    if (value === 3) throw new Error('three');
    return value;
  };
  const failureOf = async (through: (numbers: sluice.Stream<number>) => sluice.Stream<number>): Promise<string> => {
    const environment = new sluice.Environment();
    const numbers = environment.generate<number>({ limit: 5 }, ({ n }) => n);
    const result = through(numbers);
    // With two readers, the map that fails is a separate task. It has only the metadata of the
    // record that the operator emitted.
    result.sink(() => {});
    result.map(failAt3).sink(() => {});
    const job = await environment.execute();
    return job.finished.then(
      () => 'no failure',
      (error: Error) => error.message,
    );
  };
  const throughs: Readonly<Partial<Record<Kind, Parameters<typeof failureOf>[0]>>> = {
    flatMap: (numbers) => numbers.flatMap((n) => [n]),
    union: (numbers) => numbers.union(numbers),
    take: (numbers) => numbers.take(5),
    assignTimestamps: (numbers) => numbers.assignTimestamps((n: number) => n),
    connectMap: (numbers) =>
      numbers.connect(numbers).map(
        (n) => n,
        (n) => n,
      ),
  };
  assert.deepEqual(Object.keys(throughs), withTrait('keepsOrigin'));
  for (const [kind, through] of Object.entries(throughs))
    assert.match(await failureOf(through), /at partition 0, offset 3: Error: three/, kind);
  const rolled = await failureOf((numbers) => numbers.keyBy((n) => n).reduce((n) => n));
  assert.match(rolled, /three/);
  assert.doesNotMatch(rolled, /offset/);
});
