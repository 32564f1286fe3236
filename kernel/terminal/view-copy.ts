// A client's copy of a view. A snapshot sets it, and deltas update it.
import type { Part, PartChange, ViewDelta, ViewSnapshot } from '../protocol/displays.ts';
import { keepRows } from '../protocol/kept-rows.ts';

export class ViewCopy {
  parts: readonly Part[] = [];

  apply(message: ViewSnapshot | ViewDelta): void {
    this.parts = message.type === 'snapshot' ? message.parts : message.changes.reduce(changed, this.parts);
  }
}

function changed(parts: readonly Part[], change: PartChange): readonly Part[] {
  switch (change.kind) {
    case 'put':
      return parts.filter(({ id }) => id !== change.part.id).toSpliced(change.at, 0, change.part);
    case 'remove':
      return parts.filter(({ id }) => id !== change.id);
    case 'rows':
    case 'lines':
    case 'backpressure':
      return parts.map((part) => (part.id === change.id ? merged(part, change) : part));
  }
}

function merged(part: Part, change: Exclude<PartChange, { kind: 'put' | 'remove' }>): Part {
  if (change.kind === 'rows' && (part.kind === 'table' || part.kind === 'chart')) {
    const { rate, sampled, total, caption } = change;
    return { ...part, ...{ rate, sampled, total, caption }, rows: keepRows(part.rows, change.rows, part) };
  }
  if (change.kind === 'lines' && part.kind === 'log')
    return { ...part, lines: [...part.lines, ...change.lines].slice(-500), dropped: change.dropped };
  if (change.kind === 'backpressure' && part.kind === 'backpressure')
    return { ...part, operators: change.operators, thread: change.thread };
  return part;
}
