// Watermark alignment: no source of a group runs ahead of the slowest by more than its maxDrift, so
// little data waits for the slow sources.
//
//   reading ──watermark > min(group) + maxDrift──► paused
//      ▲                                             │
//      └── the slowest has advanced, become idle or ended ──┘
//
// Alignment works per partition: partitions of a source that are behind continue. It uses the
// progress of the records, not the last emitted watermark. A source without records is at −Infinity
// and holds all others, as with watermarks. A source that is idle, has ended, has failed or has no
// readers does not count. The copies of a source that the live session makes for a late reader form
// a group of their own: they start at the beginning, and no other source waits for them.
import type { AlignmentSpec } from '../graph/spec.ts';
import type { PlanNode } from '../graph/plan.ts';
import type { SourceContext } from '../contract/source.ts';

/** A paused source checks again after this time, if nothing has woken it. */
export const lookAgainMillis = 1000;

export class AlignmentGroups {
  readonly #groups = new Map<string, Set<AlignedSource>>();

  /** Returns undefined without a spec. */
  join(spec: AlignmentSpec | undefined, node: PlanNode, context: SourceContext): AlignedSource | undefined {
    if (!spec) return undefined;
    const lane = node.copy === true ? node.id.slice(node.uid.length) : '';
    const key = `${spec.group}\0${lane}`;
    for (const [other, { size }] of this.#groups) if (size === 0) this.#groups.delete(other);
    const group = this.#groups.get(key) ?? new Set();
    this.#groups.set(key, group);
    const source = new AlignedSource(spec, context, group);
    group.add(source);
    return source;
  }
}

export class AlignedSource {
  readonly spec: AlignmentSpec;
  readonly name: string;
  /** The watermark of its records; Infinity while it is idle. SourceTime sets this function. */
  watermark: () => number = () => -Infinity;
  /** The lowest watermark of the waiting partitions; Infinity: none waits. */
  pausedAt = Infinity;
  readonly #group: Set<AlignedSource>;
  readonly #context: SourceContext;

  constructor(spec: AlignmentSpec, context: SourceContext, group: Set<AlignedSource>) {
    this.spec = spec;
    this.name = context.name;
    this.#context = context;
    this.#group = group;
  }
  get #counts(): boolean {
    return this.#context.output.hasReaders !== false;
  }
  /** The source with the lowest watermark; undefined: all are idle. */
  slowest(): { readonly name: string; readonly watermark: number } | undefined {
    let slowest: { name: string; watermark: number } | undefined;
    for (const source of this.#group) {
      if (!source.#counts) continue;
      const watermark = source.watermark();
      if (watermark < (slowest?.watermark ?? Infinity)) slowest = { name: source.name, watermark };
    }
    return slowest;
  }
  /** A partition whose watermark is above this pauses. */
  limit(): number {
    return (this.slowest()?.watermark ?? Infinity) + this.spec.maxDriftMillis;
  }
  /** Its watermark has advanced, or no longer counts: wakes the sources that may continue. */
  moved(): void {
    for (const other of this.#group)
      if (other !== this && other.pausedAt < Infinity && other.pausedAt <= other.limit()) other.#context.wake();
  }
  leave(): void {
    if (this.#group.delete(this)) this.moved();
  }

  /** Why it waits, for the user. */
  get waiting(): string | undefined {
    const slowest = this.pausedAt < Infinity ? this.slowest() : undefined;
    if (!slowest) return undefined;
    const { group, maxDriftMillis } = this.spec;
    if (slowest.watermark === -Infinity)
      return `waits for "${slowest.name}", which has no record yet (alignment group "${group}")`;
    const ahead = span(this.pausedAt - slowest.watermark);
    return `waits for "${slowest.name}": this source is ${ahead} ahead, and at most ${span(maxDriftMillis)} are allowed (alignment group "${group}")`;
  }
}

function span(millis: number): string {
  if (millis < 1000) return `${millis} ms`;
  const units = [
    ['s', 1000, 120_000],
    ['min', 60_000, 7_200_000],
    ['h', 3_600_000, 172_800_000],
    ['d', 86_400_000, Infinity],
  ] as const;
  const [unit, each] = units.find(([, , below]) => millis < below)!;
  return `${Math.round((millis / each) * 10) / 10} ${unit}`;
}
