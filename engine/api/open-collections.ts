// The `toArray` calls that are under way, with the rows that each of them holds until it returns.
// No code of a cell is on the stack when such rows come, so their number tells whose they are.

export interface OpenCollection {
  /** The cell that called. */
  readonly group: string;
  readonly rows: readonly unknown[];
}

const open = new Set<OpenCollection>();

/** Collects all rows of a stream. */
export async function collected<T>(group: string, stream: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = [];
  const collection: OpenCollection = { group, rows };
  open.add(collection);
  try {
    for await (const row of stream) rows.push(row);
    return rows;
  } finally {
    open.delete(collection);
  }
}
export function openCollections(): Iterable<OpenCollection> {
  return open;
}
