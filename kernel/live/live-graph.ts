// The hot graph change: what becomes of each running instance when the notebook's plan changes.
//
//   same lineage, and it goes on reading what it     keep       the task stays the same object
//     read
//   the same, but a slot lost its input, or a lost   rewire     the task stays, its slots get
//     input is back and nothing has passed                      other channels
//   else, every source above can be read again       rebuild    a new instance, from the start,
//                                                               with copies of what it reads
//   else, all it saw could be read again, and what   reset      a new instance
//     it reads now cannot
//   else, another key on a slot, or other slots      reset      a new instance
//   else, a source that it has seen starts again     reset      a new instance
//     into it, and it holds rows
//   else, what it holds follows from the rows of a   reset      a new instance, which starts with
//     table                                                     these rows
//   else, same own text                              rewire     the task stays, its slots get
//                                                               other channels
//   else, same shape of state                        handover   a new instance takes over the state
//   else                                             reset      a new instance
//
// An operator that failed is never kept or rewired. Its readers go over to its successor.
//
// Each slot of an instance that goes on reads the instance that it read before, copies included, as
// long as that one goes on with the same lineage. A slot that leads nowhere keeps its key and its
// lineage, so it resets nothing below. The instance that it read stays in the plan while it stands
// still and may still come back; then the slot goes on there.
//
// A reader that starts anew sees each source from its start where that is possible, else from now
// on. The running source is somewhere in the middle. So the reader gets copies, one lane per
// change, of the operators above it, with a reader of its own at the top. Operators that hold state
// over a live source are not copied: the reader attaches to the running instance. Copies that no
// leaf reaches are gone with the next plan. State is never mapped by order, only by uid.
import { canReadNodeAgain, isSource } from '../../engine/graph/kinds.ts';
import type { Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { above, edgesByReader, edgesByWriter } from '../../engine/graph/walk.ts';
import { type Decision, Decisions, marksOf, type ResetReason } from './decisions.ts';
import { nowhere } from './merge.ts';
import { RunningGraph } from './running-graph.ts';

export type { Decision, ResetReason } from './decisions.ts';

export interface Change {
  /** What will run: `id` is the instance. */
  readonly plan: Plan;
  /** New instance → the instance whose state it takes over. */
  readonly handover: Readonly<Record<string, string>>;
  /** By uid. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** By uid: why it is reset. */
  readonly reasons: ReadonlyMap<string, ResetReason>;
  /** uid → the instance that readers attach to. */
  readonly main: ReadonlyMap<string, string>;
}

/** `failed`: uids whose operators threw; a run of their cell starts them again. */
export function changeGraph(running: Plan, next: Plan, failed: ReadonlySet<string> = new Set()): Change {
  const former = new RunningGraph(running);
  const decisions = new Decisions(former, next, failed);
  const { instances, edges: all, handover, main } = new Instances(former, next, decisions);
  const edges = withStillCopies(all, former);
  const leaves = leavesOf(next, main);
  // What a lost slot waits for stays, as if the slot still read it.
  const waiting = edges.flatMap(({ lost, to }) => (lost?.from ? [{ from: lost.from.id, to }] : []));
  const held = above([...edges, ...waiting], leaves);
  const kept = onlyStill(edges.filter((edge) => held.has(edge.to)));
  const stillWaiting = kept.flatMap(({ lost, to }) => (lost?.from ? [{ from: lost.from.id, to }] : []));
  const read = above([...kept, ...stillWaiting], leaves);
  const place = new Map(next.nodes.map((node, index) => [node.uid, index]));
  const ordered = [...instances.values()]
    .filter((node) => read.has(node.id))
    .sort((a, b) => (place.get(a.uid) ?? Infinity) - (place.get(b.uid) ?? Infinity));
  const { mode } = next;
  const plan: Plan = {
    version: 1,
    nodes: ordered,
    edges: kept.filter((edge) => read.has(edge.to)),
    ...(mode && { mode }),
  };
  return {
    plan: withSeen(plan, former, handover),
    ...{ handover, main },
    decisions: decisions.byUid,
    reasons: decisions.reasons,
  };
}

/** The instances of the next plan, and what each of their slots reads. */
class Instances {
  readonly instances = new Map<string, PlanNode>();
  readonly edges: PlanEdge[] = [];
  readonly handover: Record<string, string> = {};
  readonly main: ReadonlyMap<string, string>;
  readonly #running: RunningGraph;
  readonly #decisions: Decisions;
  readonly #lane: number;
  readonly #copies = new Map<string, string>();

  constructor(running: RunningGraph, next: Plan, decisions: Decisions) {
    this.#running = running;
    this.#decisions = decisions;
    this.#lane = 1 + Math.max(0, ...running.plan.nodes.map(laneOf));
    this.main = new Map(next.nodes.map(({ uid }) => [uid, this.#idOf(uid)]));
    for (const { uid } of next.nodes) this.#place(uid);
  }
  #idOf(uid: string): string {
    if (this.#goesOn(uid)) return this.#running.main.get(uid)!;
    return this.#running.nodes.has(uid) ? `${uid}~${this.#lane}` : uid;
  }
  #goesOn(uid: string): boolean {
    const decision = this.#decisions.of(uid);
    return decision === 'keep' || decision === 'rewire';
  }

  #place(uid: string): void {
    const id = this.main.get(uid)!;
    if (this.#goesOn(uid)) return this.#continue(id);
    this.instances.set(id, { ...this.#decisions.nodes.get(uid)!, id });
    const isSuccessor = this.#decisions.of(uid) === 'handover';
    if (isSuccessor) this.handover[id] = this.#running.main.get(uid)!;
    if (isSuccessor) this.#continueSlots(this.#running.main.get(uid)!, id);
    else
      for (const edge of this.#decisions.slots(uid))
        this.#add(
          withoutWait({ ...edge, from: edge.from === nowhere ? nowhere : this.#fromTheStart(edge.from), to: id }),
        );
  }
  /** The instance goes on with the functions that it has: its text is the same. */
  #continue(id: string): void {
    if (this.instances.has(id)) return;
    const node = this.#running.nodes.get(id)!;
    const declared = this.#decisions.nodes.get(node.uid);
    const isRewired = !node.copy && declared !== undefined && this.#decisions.of(node.uid) === 'rewire';
    this.instances.set(id, { ...node, exposed: isRewired ? declared.exposed : (declared?.exposed ?? node.exposed) });
    if (declared) return this.#continueSlots(id, id);
    // It goes by another name now.
    for (const edge of this.#running.slots(id)) {
      this.#add(edge);
      if (edge.from !== nowhere) this.#continue(edge.from);
    }
  }
  #continueSlots(former: string, id: string): void {
    for (const { edge, isSame } of this.#decisions.continued(former)) {
      const { from } = edge;
      this.#add({ ...edge, from: from === nowhere || isSame ? from : this.main.get(from)!, to: id });
      if (from !== nowhere && isSame) this.#continue(from);
    }
  }
  /** What a lost slot waits for goes on, as long as it is declared as it was. */
  #add(edge: PlanEdge): void {
    const wait = edge.lost?.from;
    const node = wait && this.#running.nodes.get(wait.id);
    const mayComeBack = node && this.#decisions.nodes.has(node.uid) && this.#decisions.goesOnAs(node.id, node.uid);
    if (mayComeBack) this.#continue(node.id);
    this.edges.push(mayComeBack ? edge : withoutWait(edge));
  }

  /**
   * The instance that a reader which starts anew reads: from the start where that is possible, else
   * the running one.
   */
  #fromTheStart(uid: string): string {
    const main = this.main.get(uid)!;
    if (!this.#goesOn(uid) || !this.#decisions.isStartable(uid)) return main;
    const made = this.#copies.get(uid);
    if (made) return made;
    const slots = this.#decisions.slots(uid);
    const from = slots.map((edge) => (edge.from === nowhere ? nowhere : this.#fromTheStart(edge.from)));
    const id = slots.length > 0 && this.#readsTheSame(uid, from) ? main : `${uid}~${this.#lane}`;
    this.#copies.set(uid, id);
    if (id === main) return id;
    this.instances.set(id, { ...this.#decisions.nodes.get(uid)!, id, copy: true });
    for (const [slot, edge] of slots.entries()) this.#add(withoutWait({ ...edge, from: from[slot]!, to: id }));
    return id;
  }
  /** Everything above starts at this change, for the running instance too. */
  #readsTheSame(uid: string, from: readonly string[]): boolean {
    return this.#decisions.continued(this.#running.main.get(uid)!).every(({ edge, isSame }, slot) => {
      const reads = edge.from === nowhere || isSame ? edge.from : this.main.get(edge.from)!;
      return reads === from[slot];
    });
  }
}

/** A rebuilt reader reads copies of its own: what only its former self read has nobody left. */
function leavesOf(next: Plan, main: ReadonlyMap<string, string>): readonly string[] {
  const inner = new Set(next.edges.map((edge) => edge.from));
  return next.nodes.flatMap(({ uid }) => (inner.has(uid) ? [] : [main.get(uid)!]));
}

/** Copies that nobody reads any more, and that a lost slot waits for, get no records. */
function withStillCopies(edges: readonly PlanEdge[], former: RunningGraph): readonly PlanEdge[] {
  const inputs = edgesByReader(edges);
  const readers = edgesByWriter(edges);
  const isCopy = (id: string): boolean => former.nodes.get(id)?.copy === true;
  const waitedFor = edges.flatMap(({ lost }) => lost?.from?.id ?? []);
  const still = new Set(waitedFor.filter((id) => isCopy(id) && !readers.has(id)));
  // A loop over a set also visits the elements that are added during the loop.
  for (const id of still)
    for (const { from } of inputs.get(id) ?? [])
      if (isCopy(from) && readers.get(from)!.every(({ to }) => still.has(to))) still.add(from);
  const isSourceOf = ({ from, to }: PlanEdge): boolean => still.has(to) && still.has(from) && !inputs.has(from);
  return edges.map((edge) => (isSourceOf(edge) ? former.cut(edge) : edge));
}
/** A lost slot waits only for instances that stand still, so that no record passes meanwhile. */
function onlyStill(edges: readonly PlanEdge[]): readonly PlanEdge[] {
  const inputs = edgesByReader(edges);
  const readers = edgesByWriter(edges);
  /** Records may come out. A source reads while a reader is attached. */
  const flows = (id: string): boolean =>
    inputs.has(id) ? inputs.get(id)!.some(({ from }) => from !== nowhere && flows(from)) : readers.has(id);
  const isStill = (id: string): boolean =>
    !readers.has(id) && (inputs.get(id) ?? []).every(({ from }) => from === nowhere || !flows(from));
  return edges.map((edge) => (edge.lost?.from && !isStill(edge.lost.from.id) ? withoutWait(edge) : edge));
}
function withoutWait(edge: PlanEdge): PlanEdge {
  if (!edge.lost?.from) return edge;
  const { from: _, ...lost } = edge.lost;
  return { ...edge, lost };
}

/** Notes on each instance the sources that it sees from their start. */
function withSeen(plan: Plan, former: RunningGraph, handover: Readonly<Record<string, string>>): Plan {
  const nodes = new Map(plan.nodes.map((node) => [node.id, node]));
  const inputs = edgesByReader(plan.edges);
  const known = new Map<string, ReadonlySet<string>>();
  const seenBy = (id: string): ReadonlySet<string> => {
    const made = known.get(id);
    if (made) return made;
    const node = nodes.get(id)!;
    const own = isSource(node) && canReadNodeAgain(node) ? marksOf(node) : [];
    const above = (inputs.get(id) ?? []).flatMap(({ from }) => (from === nowhere ? [] : [...seenBy(from)]));
    const before = former.nodes.get(handover[id] ?? id)?.seen ?? [];
    const seen = new Set([...before, ...own, ...above]);
    known.set(id, seen);
    return seen;
  };
  return {
    ...plan,
    nodes: plan.nodes.map((node) => {
      const seen = seenBy(node.id);
      return seen.size > 0 && !isSource(node) ? { ...node, seen: [...seen] } : node;
    }),
  };
}

function laneOf(node: PlanNode): number {
  return node.id.startsWith(`${node.uid}~`) ? Number(node.id.slice(node.uid.length + 1)) : 0;
}
