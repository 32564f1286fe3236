// Random notebooks and random histories of edits, and the change of the running plan by each edit.
//
// A notebook has two cells with a source and up to three cells that read the cells before them.
// An edit changes one property of one cell: a text, a shape, a key, the source, its inputs, its
// display, or the cell is deleted or comes back. Operators of the cell may fail at the same time.
// Each result is the next running plan.
import fc from 'fast-check';
import { emptyPlan, type Plan } from '../../../engine/graph/plan.ts';
import { type Change, changeGraph } from '../../live/live-graph.ts';
import { type Leaf, mergePlan, nowhere } from '../../live/merge.ts';
import { cellOf, type DrawnCell } from './plans.ts';

/** `parked`: deleted, but its operators stay without input, so that an undo finds them. */
type Life = 'present' | 'parked' | 'gone';

interface CellChoice {
  readonly reads: readonly number[];
  readonly side: boolean;
  readonly isReplayable: boolean;
  readonly maps: number;
  readonly mapText: number;
  readonly key: string;
  readonly keeps: '' | 'aggregate' | 'join';
  readonly shape: string;
  readonly text: number;
  readonly isShown: boolean;
  readonly life: Life;
}
const choice = {
  reads: fc.array(fc.nat(5), { minLength: 1, maxLength: 2 }),
  side: fc.boolean(),
  isReplayable: fc.boolean(),
  maps: fc.nat(2),
  mapText: fc.nat(1),
  key: fc.constantFrom('', 'a', 'b'),
  keeps: fc.constantFrom('', 'aggregate', 'join'),
  shape: fc.constantFrom('x', 'y'),
  text: fc.nat(2),
  isShown: fc.boolean(),
  life: fc.constantFrom('present', 'parked', 'gone'),
} satisfies Readonly<Record<keyof CellChoice, fc.Arbitrary<unknown>>>;

/** The text of a cell in a client, and the state of the cell in the kernel. */
interface CellText {
  readonly text: string;
  readonly life: Life;
}
/**
 * The cells in the order of the document. `failed` is a cell, with the operators of it that threw.
 */
export interface Notebook {
  readonly cells: Readonly<Record<string, CellText>>;
  readonly failed: { readonly cell: string; readonly operators: readonly boolean[] };
}

interface Edit {
  readonly cell: number;
  readonly change: Partial<CellChoice>;
  readonly failed: readonly boolean[];
}
const edits: fc.Arbitrary<Edit> = fc.record({
  cell: fc.nat(4),
  change: fc.oneof(
    ...Object.entries(choice).map(([name, values]) => fc.record({ [name]: values as fc.Arbitrary<unknown> })),
    // An undo is as frequent as a deletion.
    fc.constant({ life: 'present' }),
    fc.constant({}),
  ),
  failed: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) },
  ),
});

/** A history: the notebook after each edit. The order of its cells is any order. */
export const histories: fc.Arbitrary<readonly Notebook[]> = fc
  .record({
    cells: fc.array(fc.record({ ...choice, life: fc.constant<Life>('present') }), { minLength: 2, maxLength: 5 }),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    edits: fc.array(fc.array(edits, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ cells, order, edits: steps }) => {
    let choices: readonly CellChoice[] = cells;
    const notebooks = [notebookOf(choices, order, { cell: '', operators: [] })];
    for (const step of steps) {
      for (const { cell, change } of step) {
        const place = cell % choices.length;
        choices = choices.with(place, { ...choices[place]!, ...change });
      }
      const { cell, failed } = step[0]!;
      notebooks.push(notebookOf(choices, order, { cell: nameOf(cell % choices.length), operators: failed }));
    }
    return notebooks;
  });

function nameOf(place: number): string {
  return `c${place}`;
}
function notebookOf(choices: readonly CellChoice[], order: readonly number[], failed: Notebook['failed']): Notebook {
  const cells = order.flatMap((place) => {
    const one = choices[place];
    return one && one.life !== 'gone' ? [[nameOf(place), { text: textOf(one, place), life: one.life }] as const] : [];
  });
  return { cells: Object.fromEntries(cells), failed };
}
function textOf(one: CellChoice, place: number): string {
  const show = one.isShown ? ' -> show' : '';
  if (place < 2) return `out: generate(${one.isReplayable ? 'limit' : 'live'}, ${one.text})${show}`;
  const reads = one.reads.map((read) => `${nameOf(read % place)}/out${one.side ? '.late' : ''}`);
  const by = one.key === '' ? '' : ` by ${one.key}`;
  const last =
    one.keeps !== ''
      ? `out: ${one.keeps}(${one.shape}, ${one.text})${by}`
      : `out: ${one.key === '' ? `filter(${one.text})` : `keyBy(${one.key})`}`;
  const isPair = one.keeps === 'join' && reads.length === 2;
  const steps = [
    reads.join(' + '),
    ...(reads.length === 2 && !isPair ? ['union'] : []),
    ...(isPair ? [] : Array.from({ length: one.maps }, () => `map(${one.mapText})`)),
    last,
  ];
  return steps.join(' -> ') + show;
}

/** One change of the graph, with all that it was made of. */
export interface Moment {
  readonly running: Plan;
  readonly next: Plan;
  readonly failed: ReadonlySet<string>;
  readonly change: Change;
  /** Displays, pulls, sinks and operators of parked cells: why operators run. */
  readonly leaves: ReadonlySet<string>;
}

/** Plays a history. The graph that runs after one edit is the input of the next edit. */
export function momentsOf(history: readonly Notebook[], change = changeGraph): readonly Moment[] {
  const moments: Moment[] = [];
  let running = emptyPlan;
  for (const notebook of history) {
    const { next, leaves } = declaredBy(notebook, running);
    const { cell, operators } = notebook.failed;
    const failed = new Set(
      running.nodes
        .filter((node) => node.group === cell)
        .filter((_, place) => operators[place] === true)
        .map((node) => node.uid),
    );
    const moment = { running, next, failed, leaves, change: change(running, next, failed) };
    moments.push(moment);
    running = moment.change.plan;
  }
  return moments;
}

/** A parked cell stands still: it has no input and no readers, and its operators stay. */
function declaredBy(notebook: Notebook, running: Plan): { readonly next: Plan; readonly leaves: ReadonlySet<string> } {
  const ran = new Set(running.nodes.map((node) => node.uid));
  const cells = Object.entries(notebook.cells).map(([name, { text, life }]) => {
    const cell = cellOf(name, text);
    return life === 'parked' ? parked(cell, ran) : cell;
  });
  const leaves = cells.flatMap((cell) => cell.leaves);
  const uids = leaves.map((leaf) => (leaf.kind === 'sink' ? leaf.node : leaf.id));
  return { next: mergePlan(cells, leaves), leaves: new Set(uids) };
}
function parked(cell: DrawnCell, ran: ReadonlySet<string>): DrawnCell {
  const sources = new Set(cell.nodes.filter((node) => node.kind === 'generate').map((node) => node.uid));
  const nothing = { node: nowhere, port: 'out' };
  const operators = cell.nodes.filter((node) => ran.has(node.uid));
  return {
    ...cell,
    edges: cell.edges.map((edge) =>
      'node' in edge.from && !sources.has(edge.from.node) ? edge : { ...edge, from: nothing },
    ),
    streams: new Map(),
    leaves: [
      ...cell.leaves.map((leaf): Leaf => {
        if (leaf.kind === 'sink') return leaf;
        return 'node' in leaf.from && !sources.has(leaf.from.node) ? leaf : { ...leaf, from: nothing };
      }),
      ...operators.map((node): Leaf => ({ kind: 'sink', node: node.uid })),
    ],
  };
}
