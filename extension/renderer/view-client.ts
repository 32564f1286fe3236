// A client's state of one view. It is a pure value that snapshots and deltas advance.
// Applying is idempotent: an old message is ignored, and a message after a gap or of another epoch
// requires a new hello.
//
//   unknown ─snapshot─► known(epoch, seq) ─delta seq+1─► known(epoch, seq+1)
//                         │  delta ≤ seq, snapshot ≤ seq of the same epoch: ignored
//                         │  delta > seq+1 or of another epoch: 'resync'; the state stays
//                         └─ snapshot of another epoch, or newer: applied
import type { Part, PartChange, ViewDelta, ViewHello, ViewSnapshot, WireRow } from '../../kernel/protocol/displays.ts';
import { keepRows } from '../../kernel/protocol/kept-rows.ts';

export interface ViewState {
  readonly epoch: string;
  readonly seq: number;
  readonly parts: readonly Part[];
}

export type Applied = 'changed' | 'unchanged' | 'resync';

/** Number of kept lines of a log. */
const logLimit = 1_000;
/** Points of the backpressure history: five minutes, one a second. */
const historyLimit = 300;

export class ViewClient {
  readonly view: string;
  #state: ViewState | undefined;

  constructor(view: string) {
    this.view = view;
  }

  get state(): ViewState | undefined {
    return this.#state;
  }

  /** The hello that continues from this state. */
  hello(): ViewHello {
    return this.#state === undefined
      ? { view: this.view }
      : { view: this.view, epoch: this.#state.epoch, lastSeq: this.#state.seq };
  }

  apply(message: ViewSnapshot | ViewDelta): Applied {
    const state = this.#state;
    const known = state !== undefined && state.epoch === message.epoch;
    if (known && message.seq <= state.seq) return 'unchanged';
    if (message.type === 'snapshot') {
      this.#state = { epoch: message.epoch, seq: message.seq, parts: message.parts };
      return 'changed';
    }
    if (!known || message.seq !== state.seq + 1) return 'resync';
    this.#state = { epoch: state.epoch, seq: message.seq, parts: message.changes.reduce(applyChange, state.parts) };
    return 'changed';
  }
}

/**
 * Parts are values. A part that a change does not name stays the same object, so that drawing code
 * can compare by identity.
 */
export function applyChange(parts: readonly Part[], change: PartChange): readonly Part[] {
  switch (change.kind) {
    case 'put': {
      const others = parts.filter((part) => part.id !== change.part.id);
      return others.toSpliced(Math.min(change.at, others.length), 0, change.part);
    }
    case 'remove':
      return parts.filter((part) => part.id !== change.id);
    case 'rows': {
      const { rows, open, rate, sampled, total, caption } = change;
      return parts.map((part) =>
        part.id === change.id && (part.kind === 'table' || part.kind === 'chart')
          ? {
              ...part,
              rows: keepRows(part.rows, rows, part),
              ...(open && { open: keptOpen(part.open ?? [], open) }),
              ...{ rate, sampled, total, caption },
            }
          : part,
      );
    }
    case 'lines':
      return parts.map((part) =>
        part.id === change.id && part.kind === 'log'
          ? { ...part, lines: [...part.lines, ...change.lines].slice(-logLimit), dropped: change.dropped }
          : part,
      );
    case 'backpressure':
      return parts.map((part) => {
        if (part.id !== change.id || part.kind !== 'backpressure') return part;
        const known = new Map(part.history.map((series) => [series.id, series.points]));
        // A former operator loses its history, and a new one begins its own.
        const history = change.operators.map(({ id, name }) => {
          const point = Object.hasOwn(change.points, id) ? change.points[id] : undefined;
          const points = known.get(id) ?? [];
          return { id, name, points: point === undefined ? points : [...points, point].slice(-historyLimit) };
        });
        return { ...part, operators: change.operators, history, thread: change.thread };
      });
  }
}

/**
 * Rows of open windows that have not changed stay the same objects, so that they are not redrawn.
 */
function keptOpen(former: readonly WireRow[], rows: readonly WireRow[]): readonly WireRow[] {
  const known = new Map(former.map((row) => [JSON.stringify(row), row]));
  return rows.map((row) => known.get(JSON.stringify(row)) ?? row);
}
