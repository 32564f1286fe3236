// The hot graph change: what becomes of each running instance when the notebook's plan changes.
//
//   same lineage                                   keep       the task stays the same object
//   else, every source above can be read again     rebuild    a new instance, from the start, with copies of what it reads
//   else, same own text, another upstream          rewire     the task stays, its slots get other channels
//   else, same shape of state                      handover   a new instance takes over the state
//   else                                           reset      a new instance from now on
//
// A reader that is new (or rebuilt) over a source that can be read again must see it from its start, but the running source is somewhere in the
// middle: the reader gets copies, one lane per change, of the operators above it, with a reader of its own at the top. Copies that nobody reads any more are gone with
// the next plan. Over live sources a new reader attaches to the running instances, from now on. State is never mapped by order, only by uid.
import { collapses } from '../../engine/graph/kinds.ts';
import { canReadAgain, lineage } from '../../engine/graph/lineage.ts';
import type { Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { above, edgesByReader } from '../../engine/graph/walk.ts';
import { nowhere } from './merge.ts';

export type Decision = 'keep' | 'new' | 'rebuild' | 'rewire' | 'handover' | 'reset';

export interface Change {
  /** What will run: `id` is the instance. */
  readonly plan: Plan;
  /** New instance → the instance whose state it takes over. */
  readonly handover: Readonly<Record<string, string>>;
  /** By uid. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** uid → the instance that readers attach to. */
  readonly main: ReadonlyMap<string, string>;
}

/** `failed`: uids whose operators threw; a run of their cell starts them again. */
export function changeGraph(running: Plan, next: Plan, failed: ReadonlySet<string> = new Set()): Change {
  const former = withoutLooseEnds(running);
  const formerLineages = lineage(former);
  const formerNodes = new Map(running.nodes.map((node) => [node.id, node]));
  const formerMain = new Map(running.nodes.filter((node) => !node.copy).map((node) => [node.uid, node.id]));
  const known = withoutLooseEnds(next);
  const lineages = lineage(known);
  const nodes = new Map(next.nodes.map((node) => [node.uid, node]));
  const inputs = edgesByReader(next.edges);
  const lane = 1 + Math.max(0, ...running.nodes.map((node) => laneOf(node)));

  const decisions = new Map<string, Decision>();
  const decide = (uid: string): Decision => {
    const made = decisions.get(uid);
    if (made) return made;
    const decision = decideOne(uid);
    decisions.set(uid, decision);
    return decision;
  };
  const decideOne = (uid: string): Decision => {
    const node = nodes.get(uid)!;
    const id = formerMain.get(uid);
    if (id === undefined) return 'new';
    const ran = formerNodes.get(id)!;
    const isDetached = (inputs.get(uid) ?? []).some((edge) => edge.from === nowhere);
    // A slot that leads nowhere changes the lineage, but it resets nothing: the operator waits for its input to come back.
    if (isDetached && ran.own === node.own && !failed.has(uid)) return 'rewire';
    const readAgain = canReadAgain(known, uid);
    if (formerLineages.get(id) === lineages.get(uid) && !failed.has(uid)) return 'keep';
    if (readAgain) return 'rebuild';
    // What could be read again has ended or will end; its operators cannot go on with something that has no end.
    if (canReadAgain(former, id)) return 'reset';
    // State by another key is other state.
    if (keysOf(former, id) !== keysOf(known, uid)) return 'reset';
    if (ran.own === node.own && !failed.has(uid)) return 'rewire';
    return ran.shape === node.shape && ran.kind === node.kind && node.shape !== '' ? 'handover' : 'reset';
  };
  for (const node of next.nodes) decide(node.uid);

  const instances = new Map<string, PlanNode>();
  const edges: PlanEdge[] = [];
  const handover: Record<string, string> = {};
  const main = new Map<string, string>();
  const idOf = (uid: string): string => {
    const decision = decisions.get(uid)!;
    if (decision === 'keep' || decision === 'rewire') return formerMain.get(uid)!;
    return formerNodes.has(uid) ? `${uid}~${lane}` : uid;
  };
  for (const node of next.nodes) main.set(node.uid, idOf(node.uid));

  /** The instance that a reader which starts anew reads: from the start where that is possible, else the running one. */
  const copies = new Map<string, string>();
  const fromTheStart = (uid: string): string => {
    const decision = decisions.get(uid)!;
    if (decision !== 'keep' && decision !== 'rewire') return main.get(uid)!;
    if (!canReadAgain(known, uid)) return main.get(uid)!;
    const made = copies.get(uid);
    if (made) return made;
    const id = `${uid}~${lane}`;
    copies.set(uid, id);
    instances.set(id, { ...nodes.get(uid)!, id, copy: true });
    for (const edge of inputs.get(uid) ?? [])
      edges.push({ ...edge, from: edge.from === nowhere ? nowhere : fromTheStart(edge.from), to: id });
    return id;
  };

  for (const node of next.nodes) {
    const { uid } = node;
    const decision = decisions.get(uid)!;
    const id = main.get(uid)!;
    if (decision === 'keep') {
      keepWithInputs(id);
      continue;
    }
    // A rewired operator keeps the functions it runs with: its text is the same.
    instances.set(id, decision === 'rewire' ? { ...formerNodes.get(id)!, exposed: node.exposed } : { ...node, id });
    if (decision === 'handover') handover[id] = formerMain.get(uid)!;
    const startsAnew = decision === 'new' || decision === 'rebuild' || decision === 'reset';
    for (const edge of inputs.get(uid) ?? []) {
      const from = edge.from === nowhere ? nowhere : startsAnew ? fromTheStart(edge.from) : main.get(edge.from)!;
      edges.push({ ...edge, from, to: id });
    }
  }

  /** A kept instance keeps what it reads, copies of a former change included. */
  function keepWithInputs(id: string): void {
    if (instances.has(id)) return;
    const node = formerNodes.get(id)!;
    instances.set(id, { ...node, exposed: nodes.get(node.uid)?.exposed ?? node.exposed });
    for (const edge of running.edges) {
      if (edge.to !== id) continue;
      edges.push(edge);
      if (edge.from !== nowhere) keepWithInputs(edge.from);
    }
  }

  const read = readByLeaves(next, edges, main);
  const place = new Map(next.nodes.map((node, index) => [node.uid, index]));
  const ordered = [...instances.values()]
    .filter((node) => read.has(node.id))
    .sort((a, b) => (place.get(a.uid) ?? Infinity) - (place.get(b.uid) ?? Infinity));
  const { mode } = next;
  const kept = edges.filter((edge) => read.has(edge.to));
  const plan: Plan = { version: 1, nodes: ordered, edges: kept, ...(mode && { mode }) };
  return { plan, handover, decisions, main };
}

/** A rebuilt reader reads copies of its own: what only its former self read has nobody left. */
function readByLeaves(next: Plan, edges: readonly PlanEdge[], main: ReadonlyMap<string, string>): ReadonlySet<string> {
  const inner = new Set(next.edges.map((edge) => edge.from));
  const leaves = next.nodes.flatMap(({ uid }) => (inner.has(uid) ? [] : [main.get(uid)!]));
  return above(edges, leaves);
}

function withoutLooseEnds(plan: Plan): Plan {
  return { ...plan, edges: plan.edges.filter((edge) => edge.from !== nowhere) };
}
/** What the inputs of an operator are keyed by. */
function keysOf(plan: Plan, id: string): string {
  const keys = plan.edges
    .filter((edge) => edge.to === id)
    .map((edge) => plan.nodes.find((node) => node.id === edge.from && collapses(node))?.own);
  return JSON.stringify(keys);
}
function laneOf(node: PlanNode): number {
  return node.id.startsWith(`${node.uid}~`) ? Number(node.id.slice(node.uid.length + 1)) : 0;
}
