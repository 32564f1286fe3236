// What becomes of each operator when the notebook's plan changes. The table is in live-graph.ts.
import { collapses, isSource, kinds, startsFromTable } from '../../engine/graph/kinds.ts';
import { canReadAgain, couldReadAgain, lineage } from '../../engine/graph/lineage.ts';
import type { Plan, PlanEdge, PlanNode } from '../../engine/graph/plan.ts';
import { edgesByReader } from '../../engine/graph/walk.ts';
import { writesAfter } from '../../engine/graph/written-topic.ts';
import { nowhere } from './merge.ts';
import { keyOwn, type RunningGraph, withoutUnknown } from './running-graph.ts';

export type Decision = 'keep' | 'new' | 'rebuild' | 'rewire' | 'handover' | 'reset';
/** Why an operator is reset. */
export type ResetReason = 'unbounded' | 'key' | 'twice' | 'shape' | 'table';

/** A slot of an instance that goes on. */
interface ContinuedSlot {
  readonly edge: PlanEdge;
  /** It reads the instance that it read before, or nothing. */
  readonly isSame: boolean;
}

export class Decisions {
  readonly byUid = new Map<string, Decision>();
  readonly reasons = new Map<string, ResetReason>();
  /** Of the next plan, by uid. */
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly #running: RunningGraph;
  readonly #failed: ReadonlySet<string>;
  /** What each lost slot lost is part of this plan. */
  readonly #next: Plan;
  readonly #lineages: ReadonlyMap<string, string>;
  readonly #inputs: ReadonlyMap<string, readonly PlanEdge[]>;
  readonly #open = new Set<string>();
  readonly #runsOn = new Map<string, boolean>();
  readonly #started = new Map<string, ReadonlySet<string>>();

  constructor(running: RunningGraph, next: Plan, failed: ReadonlySet<string>) {
    this.#running = running;
    this.#failed = failed;
    this.nodes = new Map(next.nodes.map((node) => [node.uid, node]));
    this.#next = withLostInputs(next, running);
    this.#lineages = lineage(withoutUnknown(this.#next));
    this.#inputs = edgesByReader(this.#next.edges);
    for (const { uid } of next.nodes) this.of(uid);
  }

  of(uid: string): Decision {
    const made = this.byUid.get(uid);
    if (made) return made;
    this.#open.add(uid);
    const decision = this.#decide(uid);
    this.#open.delete(uid);
    this.byUid.set(uid, decision);
    return decision;
  }
  #decide(uid: string): Decision {
    const running = this.#running;
    const node = this.nodes.get(uid)!;
    const id = running.main.get(uid);
    if (id === undefined) return 'new';
    const ran = running.nodes.get(id)!;
    const slots = this.continued(id);
    const hasFailed = this.#failed.has(uid);
    const isSame = running.lineages.get(id) === this.#lineages.get(uid) && slots.every((slot) => slot.isSame);
    if (isSame && !hasFailed && !this.#readsTwice(ran, slots)) {
      const former = running.slots(id);
      const stays = slots.every(({ edge }, slot) => edge.from === former[slot]!.from && edge.from !== nowhere);
      return stays ? 'keep' : 'rewire';
    }
    if (this.canReadAgain(uid)) return 'rebuild';
    const reason = this.#reasonToReset(ran, slots);
    if (reason) return this.#reset(uid, reason);
    if (startsFromTable(node)) return this.#reset(uid, 'table');
    if (ran.own === node.own && !hasFailed) return 'rewire';
    if (ran.shape === node.shape && ran.kind === node.kind && node.shape !== '') return 'handover';
    if (writesAfter(ran, node)) return 'handover';
    return this.#reset(uid, 'shape');
  }
  #reset(uid: string, reason: ResetReason): Decision {
    this.reasons.set(uid, reason);
    return 'reset';
  }
  #reasonToReset(ran: PlanNode, slots: readonly ContinuedSlot[]): ResetReason | undefined {
    const running = this.#running;
    // What could be read again has ended or will end. Its operators cannot go on with an input that
    // has no end.
    if (running.couldReadAgain(ran.id) && !couldReadAgain(this.#next, ran.uid)) return 'unbounded';
    // State by another key is other state.
    const former = running.slots(ran.id);
    if (former.length !== slots.length) return 'key';
    const next = this.slots(ran.uid);
    const hasOtherKey = former.some((edge, slot) => {
      const { from, lost, exchange } = next[slot]!;
      if ((exchange === 'key') !== (edge.exchange === 'key')) return true;
      if ((edge.from === nowhere && !edge.lost) || (from === nowhere && !lost)) return false;
      const key = from === nowhere ? lost?.key?.own : keyOwn(this.nodes.get(from));
      return running.keyOf(edge) !== key;
    });
    if (hasOtherKey) return 'key';
    return this.#readsTwice(ran, slots) ? 'twice' : undefined;
  }
  /** If it went on, it would get records of a source a second time. */
  #readsTwice(ran: PlanNode, slots: readonly ContinuedSlot[]): boolean {
    if (!holdsRows(ran) || ran.seen === undefined) return false;
    const { seen } = ran;
    return slots.some((slot) => [...this.#startedAt(slot, ran.uid)].some((source) => seen.includes(source)));
  }

  // ------------------------------------------------------------ the next plan

  slots(uid: string): readonly PlanEdge[] {
    return this.#inputs.get(uid) ?? [];
  }
  canReadAgain(uid: string): boolean {
    return canReadAgain(this.#next, uid);
  }
  /**
   * A copy of the operator has a source that is read from its start. Beside it there may be live
   * inputs, if the operator holds nothing.
   */
  isStartable(uid: string): boolean {
    if (this.canReadAgain(uid)) return true;
    const node = this.nodes.get(uid);
    if (!node || !passesOn(node)) return false;
    return this.slots(uid).some(({ from }) => from !== nowhere && this.isStartable(from));
  }

  // ------------------------------------------------------------ instances that go on

  /** The slots of a running instance of an operator of the next plan, if it goes on. */
  continued(id: string): readonly ContinuedSlot[] {
    const { uid } = this.#running.nodes.get(id)!;
    const former = this.#running.slots(id);
    const next = this.slots(uid);
    return next.map((edge, slot): ContinuedSlot => {
      const before = former.length === next.length && isSameSlot(former[slot]!, edge) ? former[slot] : undefined;
      if (edge.from === nowhere)
        return { edge: before ? this.#running.cut(before) : { ...edge, to: id }, isSame: true };
      const last = before && (before.from === nowhere ? before.lost?.from : { id: before.from, port: before.port });
      const isSame = last?.port === edge.port && this.goesOnAs(last.id, edge.from);
      return { edge: { ...edge, from: isSame ? last.id : edge.from, to: id }, isSame };
    });
  }
  /**
   * The instance goes on and gives the rows of this operator. A copy may be rewired as the operator
   * itself: its readers must not go over to an instance that stands at another position.
   */
  goesOnAs(id: string, uid: string): boolean {
    const node = this.#running.nodes.get(id);
    const isCopyOfIt = node?.copy === true && node.uid === uid;
    return (isCopyOfIt || this.#running.lineages.get(id) === this.#lineages.get(uid)) && this.#goesOn(id);
  }
  #goesOn(id: string): boolean {
    const known = this.#runsOn.get(id);
    if (known !== undefined) return known;
    const node = this.#running.nodes.get(id);
    const answer = node !== undefined && !this.#failed.has(node.uid) && this.#mayGoOn(node);
    this.#runsOn.set(id, answer);
    return answer;
  }
  #mayGoOn(ran: PlanNode): boolean {
    const { id, uid, copy } = ran;
    const node = this.nodes.get(uid);
    if (!node) return this.#running.slots(id).every(({ from }) => from === nowhere || this.#goesOn(from));
    const isSame = this.#running.lineages.get(id) === this.#lineages.get(uid);
    if (copy) {
      if (isSame && this.continued(id).every((slot) => slot.isSame)) return true;
      const hasSameSlots = this.#running.slots(id).length === this.slots(uid).length;
      return passesOn(ran) && ran.own === node.own && hasSameSlots && !this.canReadAgain(uid);
    }
    if (!isSame) return false;
    return !this.#open.has(uid) && ['keep', 'rewire'].includes(this.of(uid));
  }

  // ------------------------------------------------------------ sources that start again

  /** Sources whose records reach the operator's new or running instance from their start. */
  #startedIn(uid: string): ReadonlySet<string> {
    const known = this.#started.get(uid);
    if (known) return known;
    const node = this.nodes.get(uid)!;
    const decision = this.of(uid);
    const id = this.#running.main.get(uid);
    let started: string[];
    if (decision === 'new' || decision === 'rebuild' || decision === 'reset')
      started = isSource(node) ? this.#marksAbove(uid) : this.slots(uid).flatMap((edge) => this.#startedFor(edge.from));
    else started = this.continued(id!).flatMap((slot) => [...this.#startedAt(slot, uid)]);
    const result = new Set(started);
    this.#started.set(uid, result);
    return result;
  }
  /** Sources that a reader of this operator sees from their start, when the reader is new. */
  #startedFor(uid: string): readonly string[] {
    if (uid === nowhere) return [];
    return this.isStartable(uid) ? this.#marksAbove(uid) : [...this.#startedIn(uid)];
  }
  #startedAt({ edge: { from }, isSame }: ContinuedSlot, reader: string): Iterable<string> {
    if (from === nowhere) return [];
    if (!isSame) return this.#startedIn(from);
    const { id, uid, copy } = this.#running.nodes.get(from)!;
    if (!this.nodes.has(uid) || uid === reader) return [];
    return copy ? this.continued(id).flatMap((slot) => [...this.#startedAt(slot, uid)]) : this.#startedIn(uid);
  }
  #marksAbove(uid: string): string[] {
    const node = this.nodes.get(uid)!;
    if (isSource(node)) return this.canReadAgain(uid) ? marksOf(node) : [];
    return this.slots(uid).flatMap(({ from }) => (from === nowhere ? [] : this.#marksAbove(from)));
  }
}

/** A source under another name is the same source, and so is a source with another text. */
export function marksOf({ uid, own }: PlanNode): string[] {
  return [uid, own];
}

/** It looks at each record and remembers nothing: a copy beside live inputs gives what it gives. */
function passesOn(node: PlanNode): boolean {
  const { keepsKey, keepsOrigin } = kinds[node.kind] as { readonly keepsKey?: true; readonly keepsOrigin?: true };
  return collapses(node) || keepsKey === true || (keepsOrigin === true && node.shape === '');
}
/** State, a screen, or a system outside: the same row twice is another result. */
function holdsRows(node: PlanNode): boolean {
  return !passesOn(node);
}

/** A slot that leads nowhere has lost what the running instance read there. */
function withLostInputs(next: Plan, running: RunningGraph): Plan {
  const inputs = edgesByReader(next.edges);
  const edges = next.nodes.flatMap(({ uid }) => {
    const slots = inputs.get(uid) ?? [];
    const id = running.main.get(uid) ?? running.plan.nodes.findLast((node) => node.uid === uid)?.id;
    const former = id === undefined ? [] : running.slots(id);
    return slots.map((edge, slot): PlanEdge => {
      if (edge.from !== nowhere || former.length !== slots.length || !isSameSlot(former[slot]!, edge)) return edge;
      const { lost } = running.cut(former[slot]!);
      return lost ? { ...edge, lost } : edge;
    });
  });
  return { ...next, edges };
}
function isSameSlot(a: PlanEdge, b: PlanEdge): boolean {
  return a.input === b.input && a.exchange === b.exchange;
}
