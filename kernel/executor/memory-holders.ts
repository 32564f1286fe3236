// Which cell holds the memory of a thread. The cell that is at work at the limit may be innocent: a
// timer of another one may have filled the memory little by little. So above half of the limit,
// V8's sampling heap profiler notes what allocates, and the thread counts who takes buffers.
//
//   calm ─above half of the limit─► watching ─above the limit─► asked: who holds what came since?
//     ▲                                │
//     └─────below two fifths of it─────┘
import { cellOfScript } from '../cells/source-places.ts';
import { type Hereabouts, hereaboutsExpression } from './hereabouts.ts';
import type { KeptByCell } from './kept-by-cells.ts';
import type { ThreadInspector } from './thread-inspector.ts';

/** Bytes between two samples, on average. */
const samplingInterval = 128 << 10;

/** Of V8's sampling heap profile: functions by their callers, with what they hold still. */
export interface ProfileNode {
  readonly callFrame: { readonly url: string };
  /** Bytes. */
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}
/** In bytes. */
export interface Held {
  readonly heap: number;
  readonly buffers: number;
}
export interface Holder {
  /** The cell that holds at least half of what came since the watch began. */
  readonly holds?: string | undefined;
  /** The cell whose timer or callback is running at this moment. */
  readonly isAtWork?: string | undefined;
  /** What the engine keeps for the cells at this moment. */
  readonly kept: readonly KeptByCell[];
}

export class MemoryHolders {
  readonly #inspector: ThreadInspector;
  readonly #account: (isOn: boolean) => void;
  #since: Held | undefined;

  constructor(inspector: ThreadInspector, account: (isOn: boolean) => void) {
    this.#inspector = inspector;
    this.#account = account;
  }

  watch(now: Held): void {
    this.#since = now;
    this.#account(true);
    void this.#inspector.ask('HeapProfiler.startSampling', { samplingInterval });
  }
  rest(): void {
    this.#since = undefined;
    this.#account(false);
    void this.#inspector.ask('HeapProfiler.stopSampling');
  }

  async find(now: Held): Promise<Holder> {
    const since = this.#since;
    const [here, profile] = await Promise.all([
      cellHere(this.#inspector),
      since && (this.#inspector.ask('HeapProfiler.getSamplingProfile') as Promise<Profile | undefined>),
    ]);
    const kept = here?.kept ?? [];
    if (!since) return { isAtWork: here?.cell, kept };
    const grown = { heap: now.heap - since.heap, buffers: now.buffers - since.buffers };
    const holds =
      grown.heap >= grown.buffers
        ? profile && most(heldByCell(profile.profile.head))
        : here && most(new Map(Object.entries(here.buffers)), grown.buffers);
    return { holds, isAtWork: here?.cell, kept };
  }
}
interface Profile {
  readonly profile: { readonly head: ProfileNode };
}

/** Asks the thread for the cell of the timer or callback in which it is. */
export async function cellHere(inspector: ThreadInspector): Promise<Hereabouts | undefined> {
  const answer = (await inspector.ask('Runtime.evaluate', {
    expression: hereaboutsExpression,
    returnByValue: true,
    silent: true,
  })) as { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: unknown } | undefined;
  const text = answer?.result?.value;
  // A thread that is about to end answers with what V8 throws then ("illegal access").
  if (typeof text !== 'string' || answer?.exceptionDetails !== undefined || !text.startsWith('{')) return undefined;
  return JSON.parse(text) as Hereabouts;
}

/** Cell → bytes that its functions hold, and those that they called; '': in no cell. */
function heldByCell(head: ProfileNode): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  const open: { readonly node: ProfileNode; readonly caller: string }[] = [{ node: head, caller: '' }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, caller } = next;
    const cell = cellOfScript(node.callFrame.url) ?? caller;
    bytes.set(cell, (bytes.get(cell) ?? 0) + node.selfSize);
    for (const child of node.children) open.push({ node: child, caller: cell });
  }
  return bytes;
}

/** The cell with at least half of all. */
export function most(bytesByCell: ReadonlyMap<string, number>, least = 0): string | undefined {
  const all = [...bytesByCell.values()].reduce((sum, bytes) => sum + bytes, 0);
  const [cell, bytes] = [...bytesByCell].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0]);
  return cell !== '' && bytes * 2 >= Math.max(all, least) ? cell : undefined;
}
