// Watermark alignment: of the sources of one group none runs ahead of the slowest by more than its maxDrift, so that what waits for the slow ones stays small.
//
//   reading ──watermark > min(group) + maxDrift──► paused ──the slowest has moved, turned idle or ended──► reading
//
// It goes by partition: those of a source that are behind go on. What counts is how far records have come, not what was said last. As with time itself, a source that
// has said nothing yet is at −Infinity and holds all others; one that is idle, has ended, has failed or is read by nobody does not count. Copies that the live session makes
// for a late reader are a group of their own: they begin at the start, and nobody waits for them.
import type { AlignmentSpec } from '../graph/spec.ts';
import type { PlanNode } from '../graph/plan.ts';
import type { SourceContext } from '../contract/source.ts';

/** Who is paused looks again after this, should nobody have woken it. */
export const lookAgainMillis = 1000;

export class AlignmentGroups {
  readonly #groups = new Map<string, Set<AlignedSource>>();

  /** Without a spec: none. */
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
  /** How far its records have come; Infinity while it is idle. Its event time sets it. */
  watermark: () => number = () => -Infinity;
  /** The partitions that wait, by their lowest watermark; Infinity: none does. */
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
  /** The one that holds the others, and how far it has come; undefined: all are idle. */
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
  /** Its time has moved, or stands still for good: who waited for it may go on. */
  moved(): void {
    for (const other of this.#group)
      if (other !== this && other.pausedAt < Infinity && other.pausedAt <= other.limit()) other.#context.wake();
  }
  leave(): void {
    if (this.#group.delete(this)) this.moved();
  }

  /** Why it waits, for people. */
  get waiting(): string | undefined {
    const slowest = this.pausedAt < Infinity ? this.slowest() : undefined;
    if (!slowest) return undefined;
    const { group, maxDriftMillis } = this.spec;
    if (slowest.watermark === -Infinity)
      return `waits for "${slowest.name}", which has no record yet (alignment group "${group}")`;
    const ahead = span(this.pausedAt - slowest.watermark);
    return `waits for "${slowest.name}": it is ${ahead} ahead of it, at most ${span(maxDriftMillis)} (alignment group "${group}")`;
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
