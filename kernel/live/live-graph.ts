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
import { canReadAgain, lineage } from '../../engine/graph/lineage.ts';
import type { Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { nowhere } from './merge.ts';

export type Decision = 'keep' | 'new' | 'rebuild' | 'rewire' | 'handover' | 'reset';

interface Instance {
  readonly node: PlanNode;
  /** Of its uid, when it was made: what its rows depend on. */
  readonly lineage: string;
  readonly readAgain: boolean;
}
export interface LiveGraph {
  /** What runs: `id` is the instance. */
  readonly plan: Plan;
  readonly instances: ReadonlyMap<string, Instance>;
  /** uid → the instance that readers attach to. */
  readonly main: ReadonlyMap<string, string>;
  /** Counts the lanes, so that no instance id is used twice. */
  readonly lanes: number;
}
export const emptyGraph: LiveGraph = {
  plan: { version: 1, nodes: [], edges: [] },
  instances: new Map(),
  main: new Map(),
  lanes: 0,
};

export interface Change {
  readonly graph: LiveGraph;
  /** New instance → the instance whose state it takes over. */
  readonly handover: Readonly<Record<string, string>>;
  /** By uid. */
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly changed: boolean;
}

/** `failed`: uids whose operators threw; a run of their cell starts them again. */
export function changeGraph(current: LiveGraph, next: Plan, failed: ReadonlySet<string> = new Set()): Change {
  const known: Plan = { ...next, edges: next.edges.filter((edge) => edge.from !== nowhere) };
  const lineages = lineage(known);
  const nodes = new Map(next.nodes.map((node) => [node.uid, node]));
  const inputs = Map.groupBy(next.edges, (edge) => edge.to);
  const lane = current.lanes + 1;

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
    const running = current.instances.get(current.main.get(uid) ?? '');
    if (!running) return 'new';
    const isDetached = (inputs.get(uid) ?? []).some((edge) => edge.from === nowhere);
    // A slot that leads nowhere changes the lineage, but it resets nothing: the operator waits for its input to come back.
    if (isDetached && running.node.own === node.own && !failed.has(uid)) return 'rewire';
    const readAgain = canReadAgain(known, uid);
    if (running.lineage === lineages.get(uid) && !failed.has(uid)) return 'keep';
    if (readAgain) return 'rebuild';
    // What could be read again has ended or will end; its operators cannot go on with something that has no end.
    if (running.readAgain) return 'reset';
    if (running.node.own === node.own && !failed.has(uid)) return 'rewire';
    return running.node.shape === node.shape && running.node.kind === node.kind && node.shape !== ''
      ? 'handover'
      : 'reset';
  };
  for (const node of next.nodes) decide(node.uid);

  const instances = new Map<string, Instance>();
  const edges: PlanEdge[] = [];
  const handover: Record<string, string> = {};
  const main = new Map<string, string>();
  const idOf = (uid: string): string => {
    const running = current.main.get(uid);
    const decision = decisions.get(uid)!;
    if (decision === 'keep' || decision === 'rewire') return running!;
    return running === undefined && !current.instances.has(uid) ? uid : `${uid}~${lane}`;
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
    instances.set(id, { node: { ...nodes.get(uid)!, id }, lineage: lineages.get(uid)!, readAgain: true });
    for (const edge of inputs.get(uid) ?? [])
      edges.push({ ...edge, from: edge.from === nowhere ? nowhere : fromTheStart(edge.from), to: id });
    return id;
  };

  for (const node of next.nodes) {
    const { uid } = node;
    const decision = decisions.get(uid)!;
    const id = main.get(uid)!;
    const running = current.instances.get(id);
    if (decision === 'keep') {
      keepWithInputs(id);
      continue;
    }
    instances.set(id, {
      // A rewired operator keeps the functions it runs with: its text is the same.
      node: decision === 'rewire' ? { ...running!.node, exposed: node.exposed } : { ...node, id },
      lineage: lineages.get(uid)!,
      readAgain: canReadAgain(known, uid),
    });
    if (decision === 'handover') handover[id] = current.main.get(uid)!;
    const startsAnew = decision === 'new' || decision === 'rebuild' || decision === 'reset';
    for (const edge of inputs.get(uid) ?? []) {
      const from = edge.from === nowhere ? nowhere : startsAnew ? fromTheStart(edge.from) : main.get(edge.from)!;
      edges.push({ ...edge, from, to: id });
    }
  }

  /** A kept instance keeps what it reads, copies of a former change included. */
  function keepWithInputs(id: string): void {
    if (instances.has(id)) return;
    const instance = current.instances.get(id)!;
    const exposed = nodes.get(instance.node.uid)?.exposed;
    instances.set(
      id,
      exposed === instance.node.exposed ? instance : { ...instance, node: { ...instance.node, exposed } },
    );
    for (const edge of current.plan.edges) {
      if (edge.to !== id) continue;
      edges.push(edge);
      if (edge.from !== nowhere) keepWithInputs(edge.from);
    }
  }

  const plan: Plan = { version: 1, nodes: [...instances.values()].map((instance) => instance.node), edges };
  const changed =
    [...decisions.values()].some((decision) => decision !== 'keep') || plan.nodes.length !== current.plan.nodes.length;
  return {
    graph: { plan, instances, main, lanes: changed ? lane : current.lanes },
    handover,
    decisions,
    changed,
  };
}
