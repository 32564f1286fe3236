// The planner: from what the cells declare and what runs, it makes the next plan of instances and
// sentences for the user.
import { modeOf } from '../../engine/api/session.ts';
import type { Endpoint } from '../../engine/api/fragment.ts';
import { lineage } from '../../engine/graph/lineage.ts';
import { shapeHash } from '../../engine/graph/fingerprint.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import { partsOf } from './displayed.ts';
import { canReadNodeAgain, isSink, startsFromTable } from '../../engine/graph/kinds.ts';
import { above } from '../../engine/graph/walk.ts';
import type { DeclaredCell, DeclaredPull, DisarmedSink, LivePlanner, PlanRequest } from './plan-request.ts';
import { changeWithoutDeleted, type DeletedCells } from './deleted-cells.ts';
import { type Declared, type Leaf, mergePlan, nowhere } from './merge.ts';
import { notesOf } from './notes.ts';

/**
 * The uid of the leaf behind a cell's part. Another instance of it means other rows: the display
 * starts again.
 */
export function displayNode(cell: string, part: number): string {
  return `display/${cell}/${part}`;
}
export function pullNode(pull: string): string {
  return `pull/${pull}`;
}

export const planLive: LivePlanner = (request) => {
  const first = planAsAsked(request);
  const disarmed = request.mayDisarm ? sinksThatStartAgain(request, first.plan) : [];
  if (disarmed.length === 0) return first;
  const isDisarmed = new Set(disarmed.map(({ cell }) => cell));
  const cells = request.graph.cells.map((cell) => (isDisarmed.has(cell.cell) ? { ...cell, armed: false } : cell));
  return { ...planAsAsked({ ...request, graph: { ...request.graph, cells } }), disarmed };
};

const planAsAsked: LivePlanner = ({ graph, running, displays, failed, committing }) => {
  const pulls = graph.pulls.map(branchOf);
  const ran = new Set(running.nodes.map((node) => node.uid));
  const leaves = [
    ...graph.cells.flatMap(leavesOf),
    ...pulls.map((branch) => branch.leaf),
    ...graph.cells.flatMap((cell) => (cell.detached ? operatorsOf(cell, ran) : [])),
  ];
  const merged = mergePlan([...graph.cells.map(declaredOf), ...pulls.map((branch) => branch.declared)], leaves);
  const failedUids = new Set(
    running.nodes.filter((node) => failed.includes(node.id) && node.group === committing).map((node) => node.uid),
  );
  const deleted = deletedCellsOf(graph.cells, pulls);
  const { change, next } = changeWithoutDeleted(running, sharePulled(merged, pulls), deleted, failedUids);
  return {
    plan: change.plan,
    handover: change.handover,
    displays: displays.map((install) => {
      const uid = displayNode(install.cell, install.part);
      const decision = change.decisions.get(uid);
      return {
        ...install,
        instance: change.main.get(uid) ?? install.instance,
        keep: decision === 'keep' || decision === 'rewire',
      };
    }),
    notes: notesOf(
      change,
      running,
      next,
      graph.cells.map(({ cell }) => cell),
    ),
  };
};

/**
 * Sinks that have written, also under another name or before they were taken out, and that would
 * get rows a second time. A new instance reads a source from its start. Any instance gets the
 * present rows of a table whose groups start anew.
 */
function sinksThatStartAgain({ graph, running }: PlanRequest, plan: Plan): readonly DisarmedSink[] {
  const ran = new Set(running.nodes.map((node) => node.id));
  const known = new Set(running.nodes.map((node) => node.uid));
  const startsAgain = (id: string): boolean => {
    const read = above(plan.edges, [id]);
    const begins = plan.nodes.filter((node) => read.has(node.id) && !ran.has(node.id));
    if (begins.some((node) => known.has(node.uid) && startsFromTable(node))) return true;
    return !ran.has(id) && begins.some(canReadNodeAgain);
  };
  return graph.cells.flatMap(({ cell, fragment, armed, wrote, detached }) => {
    if (!armed || detached) return [];
    return fragment.sinks.flatMap(({ node: uid, target }): DisarmedSink[] => {
      const isWriting = running.nodes.some(
        (node) => node.uid === uid && isSink(node) && node.parameters.armed !== false,
      );
      const next = plan.nodes.find((node) => node.uid === uid);
      return next && (isWriting || wrote.includes(target)) && startsAgain(next.id) ? [{ cell, target }] : [];
    });
  });
}

function declaredOf(cell: DeclaredCell): Declared {
  const streams = new Map(
    cell.exports.flatMap((one) => (one.kind === 'stream' ? [[one.name, one.endpoint] as const] : [])),
  );
  const { options } = cell.fragment;
  return {
    cell: cell.cell,
    nodes: cell.fragment.nodes.map((node) =>
      cell.fragment.sinks.some((sink) => sink.node === node.uid) ? armedNode(node, cell.armed) : node,
    ),
    edges: cell.fragment.edges,
    streams,
    ...(options?.mode !== undefined && { mode: modeOf(options) ?? 'continuous' }),
  };
}
/**
 * Armed and not armed are two different operators: one writes, the other is a preview. A preview
 * has no state, so it takes none over: what is to be committed stays with the sink that wrote it.
 */
function armedNode(node: PlanNode, armed: boolean): PlanNode {
  if (!isSink(node)) return node;
  // `armed` is a parameter of every sink.
  const parameters = { ...node.parameters, armed };
  const shape = armed || node.shape === '' ? node.shape : shapeHash(node.shape, 'preview');
  return { ...node, parameters, own: shapeHash(node.own, armed), shape } as PlanNode;
}

function leavesOf(cell: DeclaredCell): Leaf[] {
  const displays = partsOf(cell.displayed).flatMap((spec, part): Leaf[] => {
    if (spec.kind !== 'table' && spec.kind !== 'chart') return [];
    return [
      {
        kind: 'display',
        id: displayNode(cell.cell, part),
        cell: cell.cell,
        from: spec.from,
        own: shapeHash(JSON.stringify({ ...spec, from: '' })),
        label: spec.kind,
        changes: spec.changes,
      },
    ];
  });
  const sinks = cell.detached ? [] : cell.fragment.sinks.map((sink): Leaf => ({ kind: 'sink', node: sink.node }));
  return [...displays, ...sinks];
}
/** A deleted cell keeps every operator that it has, but gets no new one. */
function operatorsOf({ fragment }: DeclaredCell, ran: ReadonlySet<string>): Leaf[] {
  return fragment.nodes.flatMap(({ uid }): Leaf[] => (ran.has(uid) ? [{ kind: 'sink', node: uid }] : []));
}
function deletedCellsOf(cells: readonly DeclaredCell[], pulls: readonly Branch[]): DeletedCells {
  const uidOf = (leaf: Leaf): string => (leaf.kind === 'sink' ? leaf.node : leaf.id);
  const deleted = cells.filter(({ detached }) => detached);
  const living = cells.filter(({ detached }) => !detached);
  return {
    nodes: new Set(
      deleted.flatMap((cell) => [...cell.fragment.nodes.map(({ uid }) => uid), ...leavesOf(cell).map(uidOf)]),
    ),
    livingLeaves: [...living.flatMap(leavesOf), ...pulls.map(({ leaf }) => leaf)].map(uidOf),
  };
}

interface Branch {
  readonly declared: Declared;
  readonly leaf: Leaf;
  /** uid in the branch → uid in its cell. */
  readonly original: ReadonlyMap<string, string>;
}
/** The branch of a pull gets uids of its own, because the run of its cell is not committed yet. */
function branchOf({ pull, cell, from, fragment }: DeclaredPull): Branch {
  const rename = (uid: string): string => `${uid}@${pull}`;
  const own = new Set(fragment.nodes.map((node) => node.uid));
  const moved = (endpoint: Endpoint): Endpoint =>
    'node' in endpoint && own.has(endpoint.node) ? { ...endpoint, node: rename(endpoint.node) } : endpoint;
  return {
    declared: {
      cell: `${cell}@${pull}`,
      nodes: fragment.nodes.map((node) => ({ ...node, id: rename(node.uid), uid: rename(node.uid), exposed: true })),
      edges: fragment.edges.map((edge) => ({ ...edge, from: moved(edge.from), to: rename(edge.to) })),
      streams: new Map(),
    },
    leaf: { kind: 'pull', id: pullNode(pull), cell, from: moved(from), own: pull, label: 'pull' },
    original: new Map([...own].map((uid) => [rename(uid), uid])),
  };
}

/** Operators of a branch that run already, unchanged, are shared with the cell's. */
function sharePulled(plan: Plan, branches: readonly Branch[]): Plan {
  if (branches.length === 0) return plan;
  const lineages = lineage({ ...plan, edges: plan.edges.filter((edge) => edge.from !== nowhere) });
  const alias = new Map<string, string>();
  for (const branch of branches)
    for (const [renamed, uid] of branch.original)
      if (lineages.has(uid) && lineages.get(uid) === lineages.get(renamed)) alias.set(renamed, uid);
  return {
    ...plan,
    nodes: plan.nodes.filter((node) => !alias.has(node.uid)),
    edges: plan.edges
      .filter((edge) => !alias.has(edge.to))
      .map((edge) => ({ ...edge, from: alias.get(edge.from) ?? edge.from })),
  };
}
