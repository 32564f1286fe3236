// Delta iteration: connected components and shortest paths equal a full recomputation. Prints how
// much of the table each touches.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { Environment, type Stream } from '../../index.ts';
import { harness2, runScript } from '../../testing/index.ts';

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}
interface Vertex {
  readonly id: number;
  readonly component: number;
  readonly neighbours: readonly number[];
}
interface Claim {
  readonly id: number;
  readonly component: number;
}
interface Place {
  readonly id: number;
  readonly distance: number;
  readonly roads: readonly { readonly to: number; readonly length: number }[];
}
interface Reached {
  readonly id: number;
  readonly distance: number;
}

/** A graph of islands: pseudo-random edges within each. */
function islands(vertices: number, size: number): Edge[] {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % below;
  };
  const edges: Edge[] = [];
  for (let id = 0; id < vertices; id++) {
    const first = id - (id % size);
    if (id > first) edges.push({ from: first + random(id - first), to: id, length: 1 + random(9) });
    edges.push({ from: id, to: first + random(Math.min(size, vertices - first)), length: 1 + random(9) });
  }
  return edges;
}
const neighboursOf = (edges: readonly Edge[], id: number): number[] =>
  edges.flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []));

/** Every vertex takes the least component around it, over and over, until nothing changes. */
function componentsAnew(
  ids: readonly number[],
  edges: readonly Edge[],
): { components: Map<number, number>; visited: number } {
  const components = new Map(ids.map((id) => [id, id]));
  let visited = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to } of edges) {
      visited++;
      const least = Math.min(components.get(from)!, components.get(to)!);
      for (const id of [from, to]) {
        changed ||= components.get(id) !== least;
        components.set(id, least);
      }
    }
  }
  return { components, visited };
}
const counted = { steps: 0 };
const components = (vertices: ReturnType<typeof verticesOf>, claims: Stream<Claim>, maxRounds?: number) =>
  vertices.iterateDelta(claims, {
    key: ({ id }: Claim) => ({ id }),
    step(claim, vertex) {
      counted.steps++;
      if (vertex === undefined || claim.component >= vertex.component) return;
      const { component } = claim;
      return { row: { ...vertex, component }, next: vertex.neighbours.map((id) => ({ id, component })) };
    },
    ...(maxRounds !== undefined && { maxRounds }),
  });
const verticesOf = (rows: Stream<Vertex>) => rows.keyBy('id').toTable();

test('connected components by delta iteration are those of a full recomputation; a bridge touches the island that it joins', async () => {
  const edges = islands(600, 60);
  const ids = Array.from({ length: 600 }, (_, id) => id);
  const env = new Environment();
  const vertices = env.from(ids.map((id): Vertex => ({ id, component: id, neighbours: neighboursOf(edges, id) })));
  const claims = env.from(ids.flatMap((id) => neighboursOf(edges, id).map((to): Claim => ({ id: to, component: id }))));
  counted.steps = 0;
  const changes = await components(verticesOf(vertices), claims).toStream().toArray();
  const rows = new Map(changes.map(({ row }) => [row.id, row.component]));
  const anew = componentsAnew(ids, edges);
  assert.deepEqual(rows, anew.components);
  assert.equal(new Set(rows.values()).size, 10, 'ten islands');
  console.log(`delta iteration: ${counted.steps} steps; a full recomputation visits ${anew.visited} edges`);

  // One more bridge. It touches only the island that it joins to another one, in a graph of any
  // size.
  const bridged = [...edges, { from: 5, to: 65, length: 1 }];
  const driven = harness2((known: Stream<Vertex>, more: Stream<Claim>) =>
    components(verticesOf(known), more).toStream(),
  );
  for (const id of ids) driven.left({ id, component: rows.get(id)!, neighbours: neighboursOf(bridged, id) });
  driven.output();
  counted.steps = 0;
  driven.right({ id: 65, component: rows.get(5)! }, 1);
  driven.leftWatermark(1);
  driven.rightWatermark(1);
  const touched = driven.output().flatMap((item) => ('element' in item ? [item.element.row] : []));
  for (const row of touched) rows.set(row.id, row.component);
  const bridgedAnew = componentsAnew(ids, bridged);
  assert.deepEqual(rows, bridgedAnew.components);
  assert.equal(touched.length, 60);
  assert.ok(counted.steps < bridgedAnew.visited / 5);
  console.log(
    `one bridge more: ${touched.length} rows touched in ${counted.steps} steps; anew: ${bridgedAnew.visited} edges`,
  );
  driven.close();
});

function distancesAnew(
  ids: readonly number[],
  edges: readonly Edge[],
  start: number,
): { distances: Map<number, number>; visited: number } {
  const distances = new Map(ids.map((id) => [id, id === start ? 0 : Infinity]));
  let visited = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (const { from, to, length } of edges) {
      visited++;
      const through = distances.get(from)! + length;
      if (through >= distances.get(to)!) continue;
      distances.set(to, through);
      changed = true;
    }
  }
  return { distances, visited };
}
const shortest = (places: Stream<Place>, reached: Stream<Reached>) =>
  places
    .keyBy('id')
    .toTable()
    .iterateDelta(reached, {
      key: ({ id }: Reached) => ({ id }),
      step({ distance }, place) {
        counted.steps++;
        if (place === undefined || distance >= place.distance) return;
        const next = place.roads.map(({ to, length }) => ({ id: to, distance: distance + length }));
        return { row: { ...place, distance }, next };
      },
    });

test('shortest paths from one source are those of a full recomputation; a shorter road touches what gets nearer', async () => {
  const edges = islands(400, 200);
  const ids = Array.from({ length: 400 }, (_, id) => id);
  const placesOf = (roads: readonly Edge[], distances?: Map<number, number>): Place[] =>
    ids.map((id) => ({
      id,
      distance: distances?.get(id) ?? Infinity,
      roads: roads.filter(({ from }) => from === id).map(({ to, length }) => ({ to, length })),
    }));
  const env = new Environment();
  counted.steps = 0;
  const changes = await shortest(env.from(placesOf(edges)), env.from([{ id: 0, distance: 0 }]))
    .toStream()
    .toArray();
  const distances = new Map(changes.map(({ row }) => [row.id, row.distance]));
  const anew = distancesAnew(ids, edges, 0);
  assert.deepEqual(distances, anew.distances);
  console.log(`delta iteration: ${counted.steps} steps; a full recomputation visits ${anew.visited} roads`);

  const [far] = [...distances].filter(([, distance]) => distance < Infinity).sort(([, a], [, b]) => b - a)[0]!;
  const shortcut = [...edges, { from: 0, to: far, length: 1 }];
  const driven = harness2((places: Stream<Place>, reached: Stream<Reached>) => shortest(places, reached).toStream());
  for (const place of placesOf(shortcut, distances)) driven.left(place);
  driven.output();
  counted.steps = 0;
  driven.right({ id: far, distance: 1 }, 1);
  driven.leftWatermark(Infinity);
  driven.rightWatermark(Infinity);
  const touched = driven.output().flatMap((item) => ('element' in item ? [item.element.row] : []));
  for (const row of touched) distances.set(row.id, row.distance);
  const shortcutAnew = distancesAnew(ids, shortcut, 0);
  assert.deepEqual(distances, shortcutAnew.distances);
  assert.ok(touched.length < 200);
  console.log(
    `one road more: ${touched.length} rows touched in ${counted.steps} steps; anew: ${shortcutAnew.visited} roads`,
  );
  driven.close();
});

test('components of random graphs, edge by edge, are always those of a full recomputation', () => {
  const graph = fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 7 })), { maxLength: 12 });
  fc.assert(
    fc.property(graph, (pairs) => {
      // Here the table learns its edges in the rounds, too. An edge makes each end send its
      // component to the other.
      interface Told {
        readonly id: number;
        readonly component?: number;
        readonly neighbour?: number;
      }
      const build = (vertices: Stream<Vertex>, told: Stream<Told>) =>
        verticesOf(vertices)
          .iterateDelta(told, {
            key: ({ id }: Told) => ({ id }),
            step({ component, neighbour }, vertex) {
              if (vertex === undefined) return;
              const neighbours = neighbour === undefined ? vertex.neighbours : [...vertex.neighbours, neighbour];
              const least = Math.min(vertex.component, component ?? Infinity);
              if (neighbour === undefined && least === vertex.component) return;
              return {
                row: { ...vertex, neighbours, component: least },
                next: (neighbour === undefined ? neighbours : [neighbour]).map((id) => ({ id, component: least })),
              };
            },
          })
          .toStream();
      let driven = harness2(build);
      const ids = [0, 1, 2, 3, 4, 5, 6, 7];
      for (const id of ids) driven.left({ id, component: id, neighbours: [] });
      const rows = new Map(ids.map((id) => [id, id]));
      driven.output();
      pairs.forEach(([from, to], index) => {
        driven.right({ id: from, neighbour: to }, index);
        driven.right({ id: to, neighbour: from }, index);
        const snapshot = driven.snapshot();
        driven.close();
        driven = harness2(build, { restore: snapshot });
        driven.leftWatermark(index);
        driven.rightWatermark(index);
        for (const item of driven.output())
          if ('element' in item) rows.set(item.element.row.id, item.element.row.component);
        const known = pairs.slice(0, index + 1).map(([a, b]) => ({ from: a, to: b, length: 1 }));
        assert.deepEqual(rows, componentsAnew(ids, known).components);
      });
      driven.close();
    }),
    { numRuns: 60 },
  );
});

interface Level {
  readonly k: string;
  readonly n: number;
}
const raised = (levels: Stream<Level>, by: Stream<Level>, maxRounds?: number) =>
  levels
    .keyBy('k')
    .toTable()
    .iterateDelta(by, {
      key: ({ k }: Level) => ({ k }),
      step: ({ k, n }, level) => {
        // Increases a key one by one. A negative level deletes it.
        if (n < 0) return { row: null as never };
        if (n === 0) return;
        return { row: { k, n: (level?.n ?? 0) + 1 }, next: [{ k, n: n - 1 }] };
      },
      ...(maxRounds !== undefined && { maxRounds }),
    })
    .toStream();

test('the workset waits for its time, rounds go on until it is empty, and each row is emitted once', () => {
  runScript(
    (levels: Stream<Level>, by: Stream<Level>) => raised(levels, by),
    `
    >L: k n
    >R: k n
    <: time kind row former
    >L 00:01 a 10
    < 00:01 insert {"k":"a","n":10} -
    >R 00:05 a 3
    >R 00:09 b 2
    >R 00:20 a 1                       its time has not come
    = 5
    | 00:10
    < 00:09 update {"k":"a","n":13} {"k":"a","n":10}   the latest time of those that have set it off
    < 00:09 insert {"k":"b","n":2} -
    >L 00:12 a 0                       the table itself says so
    < 00:12 update {"k":"a","n":0} {"k":"a","n":13}
    | 00:20
    < 00:20 update {"k":"a","n":1} {"k":"a","n":0}
    >R 00:22 b -1
    >R 00:22 c 1
    >R 00:22 c -1                      there and gone in the same rounds: nobody hears of it
    | 00:25
    < 00:22 delete {"k":"b","n":2} {"k":"b","n":2}
    | end
    = 2
    `,
  );
});

test('maxRounds ends it', () => {
  runScript(
    (levels: Stream<Level>, by: Stream<Level>) => raised(levels, by, 2),
    `
    >R: k n
    <: kind row
    >R 00:05 a 9
    | 00:10
    < insert {"k":"a","n":2}
    | end
    = 1
    `,
  );
});

test('what a step cannot give is refused with its name', () => {
  const build = (step: () => never) => (levels: Stream<Level>, by: Stream<Level>) =>
    levels
      .keyBy('k')
      .toTable()
      .iterateDelta(by, { key: ({ k }: Level) => ({ k }), step })
      .toStream();
  const refused = (step: () => unknown, message: RegExp): void => {
    const driven = harness2(build(step as () => never));
    driven.right({ k: 'a', n: 1 }, 1);
    assert.throws(() => {
      driven.leftWatermark(5);
      driven.rightWatermark(5);
    }, message);
    driven.close();
  };
  refused(() => 5, /The step of "iterateDelta" gave 5/);
  refused(() => ({ next: 5 }), /The next of a step of "iterateDelta" is 5/);
  refused(() => ({ row: new (class Money {})() }), /A row of "iterateDelta" is an object of class Money/);
});

test('hundreds of thousands of rounds are one call, taken up again slice by slice', () => {
  const driven = harness2((levels: Stream<Level>, by: Stream<Level>) => raised(levels, by));
  driven.right({ k: 'a', n: 300_000 }, 1);
  driven.leftWatermark(5);
  driven.rightWatermark(5);
  assert.deepEqual(
    driven.output().map((item) => 'element' in item && item.element),
    [{ kind: 'insert', row: { k: 'a', n: 300_000 } }],
  );
  driven.close();
});
