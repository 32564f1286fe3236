// The matches of one key in a snapshot: columns of events and links. Each event and link is written
// once, however many matches share it. The encoding is flat, not recursive, so a path may have a
// million links.
import type { Matcher, Progress } from './matcher.ts';
import type { Event, Link, PartialMatch } from './partial-match.ts';
import { StartQueue } from './start-queue.ts';

interface MatchColumns {
  readonly states: number[];
  /** Index of the last link; −1 when nothing has been taken. */
  readonly links: number[];
  readonly startTimestamps: number[];
  readonly startSeqs: number[];
}
interface EventColumns {
  readonly elements: unknown[];
  readonly timestamps: number[];
  readonly seqs: number[];
}
interface LinkColumns {
  readonly stages: number[];
  /** Index of the link's event. */
  readonly events: number[];
  readonly previous: number[];
}
export interface ProgressContent {
  readonly events: EventColumns;
  readonly links: LinkColumns;
  /** Both in the memory order of their queues. */
  readonly partial: MatchColumns;
  readonly completed: MatchColumns;
  readonly nextSeq: number;
}

export function contentOf({ partial, completed, nextSeq }: Progress): ProgressContent {
  const table = new PathTable();
  return {
    partial: columnsOf(partial, table),
    completed: columnsOf(completed, table),
    events: table.events,
    links: table.links,
    nextSeq,
  };
}

export function progressOf(content: ProgressContent, matcher: Matcher): Progress {
  const { elements, timestamps, seqs } = content.events;
  const events = elements.map((element, at): Event => ({ element, timestamp: timestamps[at]!, seq: seqs[at]! }));
  const links: Link[] = [];
  content.links.stages.forEach((stage, at) => {
    const previous = links[content.links.previous[at]!];
    links.push({ stage, event: events[content.links.events[at]!]!, previous });
  });
  const queueOf = ({ states, links: lasts, startTimestamps, startSeqs }: MatchColumns): StartQueue<PartialMatch> =>
    new StartQueue(
      states.map((state, at) =>
        lasts[at] === -1
          ? matcher.unbegun
          : {
              state: matcher.states[state]!,
              path: links[lasts[at]!],
              startTimestamp: startTimestamps[at]!,
              startSeq: startSeqs[at]!,
            },
      ),
    );
  return {
    partial: queueOf(content.partial),
    completed: queueOf(content.completed),
    nextSeq: content.nextSeq,
    hasBegun: false,
  };
}

function columnsOf({ items }: StartQueue<PartialMatch>, table: PathTable): MatchColumns {
  return {
    states: items.map(({ state }) => state.id),
    links: items.map(({ path }) => (path ? table.add(path) : -1)),
    startTimestamps: items.map(({ startTimestamp }) => startTimestamp),
    startSeqs: items.map(({ startSeq }) => startSeq),
  };
}

/** Finds links that several matches share by identity. */
class PathTable {
  readonly events: EventColumns = { elements: [], timestamps: [], seqs: [] };
  readonly links: LinkColumns = { stages: [], events: [], previous: [] };
  readonly #eventIndex = new Map<Event, number>();
  readonly #linkIndex = new Map<Link, number>();

  /** Adds the missing links of the path that ends with `last`. Returns the index of `last`. */
  add(last: Link): number {
    const missing: Link[] = [];
    let link: Link | undefined = last;
    for (; link && !this.#linkIndex.has(link); link = link.previous) missing.push(link);
    for (const added of missing.toReversed()) {
      this.#linkIndex.set(added, this.links.stages.length);
      this.links.stages.push(added.stage);
      this.links.events.push(this.#addEvent(added.event));
      this.links.previous.push(added.previous ? this.#linkIndex.get(added.previous)! : -1);
    }
    return this.#linkIndex.get(last)!;
  }
  #addEvent(event: Event): number {
    const known = this.#eventIndex.get(event);
    if (known !== undefined) return known;
    const index = this.events.elements.length;
    this.#eventIndex.set(event, index);
    this.events.elements.push(event.element);
    this.events.timestamps.push(event.timestamp);
    this.events.seqs.push(event.seq);
    return index;
  }
}
