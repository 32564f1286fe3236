// Laws of a live graph change that hold for any notebook and any history of edits.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { canReadNodeAgain, isSource } from '../../../engine/graph/kinds.ts';
import { canReadAgain, couldReadAgain, lineage } from '../../../engine/graph/lineage.ts';
import type { Plan, PlanEdge, PlanNode } from '../../../engine/graph/plan.ts';
import { changeGraph } from '../../live/live-graph.ts';
import { nowhere } from '../../live/merge.ts';
import { drawn } from './plans.ts';
import { histories, type Moment, momentsOf } from './random-plans.ts';

/** More of them: LAW_RUNS=4000. */
const numRuns = Number(process.env['LAW_RUNS'] ?? 400);

/** Holds at every change of every history. */
function law(name: string, holds: (moment: Moment) => void): void {
  test(name, () => {
    let held = 0;
    fc.assert(
      fc.property(histories, (history) => {
        for (const moment of momentsOf(history)) {
          holds(moment);
          held++;
        }
      }),
      { numRuns },
    );
    assert.ok(held > 2 * numRuns, `The law was tried at ${held} changes only.`);
  });
}

law('ids are unique, and both ends of an edge are nodes of the plan, or its upper end is nowhere', ({ change }) => {
  const ids = change.plan.nodes.map((node) => node.id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { from, to } of change.plan.edges)
    assert.ok(ids.includes(to) && (from === nowhere || ids.includes(from)), `${from} → ${to}`);
});

law('each instance is reached by a leaf, and each leaf runs', ({ change: { plan, main }, leaves, next }) => {
  const known = next.nodes.filter((node) => leaves.has(node.uid));
  // A lost slot still holds what it waits for.
  const waiting = plan.edges.map((edge) => ({ ...edge, from: edge.lost?.from?.id ?? edge.from }));
  const held = { ...plan, edges: waiting };
  const reached = new Set(known.flatMap((node) => above(held, main.get(node.uid)!)));
  for (const { id } of plan.nodes) assert.ok(reached.has(id), `no leaf reaches ${id}`);
  const isRead = new Set(next.edges.map((edge) => edge.from));
  for (const { uid } of known)
    if (!isRead.has(uid)) assert.ok(nodeOf(plan, main.get(uid)!), `the leaf ${uid} does not run`);
});

law('what runs is what the cells declare, operator by operator and slot by slot', ({ change, next }) => {
  const { plan, main } = change;
  const declared = lineage(attached(next));
  const runs = lineage(attached(plan));
  for (const { uid } of next.nodes) {
    const id = main.get(uid)!;
    if (nodeOf(plan, id)) assert.equal(runs.get(id), declared.get(uid), `${id} has another lineage than ${uid}`);
  }
  for (const { id, uid } of plan.nodes)
    if (nodeOf(next, uid)) assert.deepEqual(slotsOf(plan, id), slotsOf(next, uid), `the slots of ${id}`);
});

law(
  'what is kept keeps its inputs: the same instances and the same edges, up to a source or a rewired operator',
  (moment) => {
    const { running, change, next } = moment;
    const check = (id: string): void => {
      assert.deepEqual(identityOf(change.plan, id), identityOf(running, id));
      const { uid, copy } = nodeOf(running, id)!;
      // A copy beside a live input is rewired as the operator itself is.
      if (copy && nodeOf(next, uid) && !canReadAgain(next, uid)) return;
      if (isDetached(next, uid) || isDetached(running, id) || change.decisions.get(uid) === 'rewire') return;
      assert.deepEqual(edgesOf(change.plan, id), edgesOf(running, id), `the edges of ${id}`);
      for (const { from } of edgesOf(running, id)) if (from !== nowhere) check(from);
    };
    for (const id of instances(moment, 'keep')) check(id);
  },
);

law('an instance never changes: what runs on under an id has the same uid, text, shape and kind', (moment) => {
  for (const { id } of moment.running.nodes)
    if (nodeOf(moment.change.plan, id))
      assert.deepEqual(identityOf(moment.change.plan, id), identityOf(moment.running, id));
});

law('state goes to an operator of the same kind, shape and keys only, and to one of them', ({ running, change }) => {
  const { plan, handover } = change;
  for (const [id, from] of Object.entries(handover)) {
    const [successor, former] = [nodeOf(plan, id)!, nodeOf(running, from)!];
    assert.ok(successor && former, `${from} → ${id}`);
    assert.ok(!nodeOf(running, id) && !nodeOf(plan, from), `${from} runs on, or ${id} ran before`);
    assert.notEqual(successor.shape, '');
    assert.deepEqual([successor.uid, successor.kind, successor.shape], [former.uid, former.kind, former.shape]);
    assert.deepEqual(keysOf(plan, id), keysOf(running, from), `the keys of ${id}`);
  }
  const origins = Object.values(handover);
  assert.deepEqual(origins, [...new Set(origins)]);
});

law('what is rewired has the same own text, and each slot that leads somewhere the same key', (moment) => {
  const { running, change, next } = moment;
  for (const [uid, decision] of change.decisions) {
    if (decision !== 'rewire') continue;
    const id = change.main.get(uid)!;
    assert.equal(nodeOf(next, uid)?.own, nodeOf(running, id)?.own);
    if (!nodeOf(change.plan, id)) continue;
    const before = keysOf(running, id);
    for (const [slot, key] of keysOf(change.plan, id).entries())
      assert.equal(key, before[slot], `slot ${slot} of ${id}`);
  }
});

law('nothing that an operator saw of sources that can be read again goes on over live ones', (moment) => {
  const { running, change } = moment;
  for (const [uid, decision] of change.decisions) {
    if (decision !== 'rewire' && decision !== 'handover') continue;
    const id = change.main.get(uid)!;
    const former = decision === 'rewire' ? id : change.handover[id]!;
    if (!nodeOf(change.plan, id) || !couldReadAgain(running, former)) continue;
    assert.ok(couldReadAgain(change.plan, id), `${former} goes on as ${id}`);
  }
});

test('no source that can be read again reaches one state twice', () => {
  let [again, states] = [0, 0];
  fc.assert(
    fc.property(histories, (history) => {
      /** The sources that each state has seen, from their start, since it began. */
      let seen = new Map<string, ReadonlySet<string>>();
      for (const { running, change } of momentsOf(history)) {
        const { plan, handover } = change;
        const next = new Map<string, ReadonlySet<string>>();
        for (const { id, kind, shape } of plan.nodes) {
          // An operator without a shape passes on what it reads. A display keeps it.
          if (shape === '' && kind !== 'display') continue;
          const before = seen.get(handover[id] ?? id) ?? new Set<string>();
          const sources = [...new Set(above(plan, id))]
            .map((one) => nodeOf(plan, one)!)
            .filter((one) => isSource(one) && canReadNodeAgain(one));
          for (const source of sources.filter((one) => !nodeOf(running, one.id))) {
            assert.ok(!before.has(source.uid), `${source.id} starts again above ${id}`);
            if ([...seen.values()].some((known) => known.has(source.uid))) again++;
          }
          if (before.size > 0) states++;
          next.set(id, new Set([...before, ...sources.map(({ uid }) => uid)]));
        }
        seen = next;
      }
    }),
    { numRuns },
  );
  assert.ok(again > 0 && states > numRuns, `${again} sources started again, ${states} states went on.`);
});

law('what starts anew reads from the start wherever that is possible', (moment) => {
  const { running, change, next } = moment;
  for (const { uid } of next.nodes) {
    if (!['new', 'rebuild', 'reset'].includes(change.decisions.get(uid)!)) continue;
    for (const [slot, { from }] of edgesOf(change.plan, change.main.get(uid)!).entries())
      if (canReadAgain(next, edgesOf(next, uid)[slot]!.from))
        for (const id of above(change.plan, from)) {
          const ran = nodeOf(running, id);
          // An operator that holds nothing gives what a copy would give.
          assert.ok(!ran || (!isSource(ran) && ran.shape === ''), `${uid} reads ${id}, which ran`);
        }
  }
});

law('a slot of a rewired operator moves only when what it reads has changed', (moment) => {
  const { running, change, next } = moment;
  for (const id of instances(moment, 'rewire')) {
    const uid = nodeOf(running, id)!.uid;
    if (edgesOf(running, id).length !== edgesOf(next, uid).length) continue;
    for (const [slot, { from: before, port: formerPort }] of edgesOf(running, id).entries()) {
      const { from: upstream, port } = edgesOf(next, uid)[slot]!;
      if (nodeOf(running, before)?.uid !== upstream || port !== formerPort) continue;
      if (change.decisions.get(upstream) === 'keep') assert.equal(edgesOf(change.plan, id)[slot]?.from, before);
    }
  }
});

law('editing nothing changes nothing', ({ change, next }) => {
  const again = changeGraph(change.plan, next);
  // Instances of one uid may change places among themselves.
  assert.deepEqual(drawn(again.plan).toSorted(), drawn(change.plan).toSorted());
  assert.deepEqual(
    again.plan.nodes.map((node) => node.uid),
    change.plan.nodes.map((node) => node.uid),
  );
  for (const { id, exposed } of again.plan.nodes) {
    assert.deepEqual(identityOf(again.plan, id), identityOf(change.plan, id));
    assert.equal(exposed, nodeOf(change.plan, id)?.exposed);
  }
  assert.deepEqual(again.handover, {});
  for (const { uid } of next.nodes) {
    const id = change.main.get(uid)!;
    if (!nodeOf(change.plan, id)) continue;
    assert.equal(again.main.get(uid), id);
    assert.equal(again.decisions.get(uid), isDetached(next, uid) ? 'rewire' : 'keep', uid);
  }
});

law('the order of the nodes changes nothing but the order', ({ running, next, failed, change }) => {
  const turned = changeGraph(running, { ...next, nodes: next.nodes.toReversed() }, failed);
  const sorted = (plan: Plan): readonly string[] => drawn(plan).toSorted();
  assert.deepEqual(sorted(turned.plan), sorted(change.plan));
  assert.deepEqual([...turned.decisions].sort(), [...change.decisions].sort());
  assert.deepEqual([...turned.main].sort(), [...change.main].sort());
  assert.deepEqual(turned.handover, change.handover);
});

law('a failed operator does not run on', ({ running, change, failed, next }) => {
  for (const { id, uid } of running.nodes)
    if (failed.has(uid) && nodeOf(next, uid)) assert.ok(!nodeOf(change.plan, id), `${id} runs on`);
});

law('an input that goes away and is there again moves no state over live sources', ({ change, next }) => {
  for (const group of new Set(next.nodes.map((node) => node.group))) {
    const cut = {
      ...next,
      edges: next.edges.map((edge): PlanEdge => {
        const isAcross = nodeOf(next, edge.from)?.group === group && nodeOf(next, edge.to)?.group !== group;
        return isAcross ? { ...edge, from: nowhere, port: 'out' } : edge;
      }),
    };
    const back = changeGraph(changeGraph(change.plan, cut).plan, next);
    for (const { uid } of next.nodes)
      // A source that is read again must not reach the state a second time.
      if (nodeOf(change.plan, change.main.get(uid)!)?.seen === undefined && nodeOf(change.plan, change.main.get(uid)!))
        assert.equal(back.main.get(uid), change.main.get(uid));
  }
});

function instances({ change }: Moment, wanted: string): readonly string[] {
  return [...change.decisions].flatMap(([uid, decision]) => {
    const id = change.main.get(uid)!;
    return decision === wanted && nodeOf(change.plan, id) ? [id] : [];
  });
}
function nodeOf(plan: Plan, id: string): PlanNode | undefined {
  return plan.nodes.find((node) => node.id === id);
}
function edgesOf(plan: Plan, id: string): readonly PlanEdge[] {
  return plan.edges.filter((edge) => edge.to === id);
}
function isDetached(plan: Plan, id: string): boolean {
  return edgesOf(plan, id).some((edge) => edge.from === nowhere);
}
/** The properties that may not change while an instance lives. */
function identityOf(plan: Plan, id: string): unknown {
  const node = nodeOf(plan, id);
  return node && [node.id, node.uid, node.kind, node.own, node.shape, node.copy, node.group, node.parameters];
}
/** The inputs of each slot, independent of the instance. */
function slotsOf(plan: Plan, id: string): readonly unknown[] {
  return edgesOf(plan, id).map(({ from, port, input, exchange }) => {
    const upstream = nodeOf(plan, from);
    return [upstream?.kind, upstream?.own, port, input, exchange];
  });
}
/** The keys of the slots of an operator. */
function keysOf(plan: Plan, id: string): readonly (string | undefined)[] {
  return edgesOf(plan, id).map(({ from, lost }) => {
    if (from === nowhere) return lost?.key?.own;
    const upstream = nodeOf(plan, from);
    return upstream?.kind === 'keyBy' ? upstream.own : undefined;
  });
}
/** The instance and all that it reads. */
function above(plan: Plan, id: string): readonly string[] {
  if (!nodeOf(plan, id)) return [];
  return [id, ...edgesOf(plan, id).flatMap((edge) => above(plan, edge.from))];
}
function attached(plan: Plan): Plan {
  return { ...plan, edges: plan.edges.filter((edge) => edge.from !== nowhere) };
}
