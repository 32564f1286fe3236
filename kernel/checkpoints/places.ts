// Where bytes lie in a state directory, and which old files are emptied into the new one.
import type { LargeBytes } from './large-bytes.ts';

/** One data file: the segments that a checkpoint added. Its number is the checkpoint's id. */
export interface DataFile {
  readonly id: number;
  size: number;
  /** A place in a file that is gone is no place. */
  isRemoved: boolean;
}

/** A segment in its file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** A segment of state is one extent. Large bytes of the session are one for each MiB. */
export interface Place {
  readonly file: DataFile;
  readonly extents: readonly Extent[];
}

/** Where the bytes of memory lie on disk, by their identity. */
export class Places {
  readonly #places = new WeakMap<LargeBytes, Place>();
  readonly #files = new Map<number, DataFile>();

  of(bytes: LargeBytes): Place | undefined {
    const place = this.#places.get(bytes);
    return place?.file.isRemoved ? undefined : place;
  }
  /** The file with this id is gone. */
  forget(id: number): void {
    const file = this.#files.get(id);
    if (file) file.isRemoved = true;
    this.#files.delete(id);
  }
  set(bytes: LargeBytes, place: Place): void {
    this.#places.set(bytes, place);
    this.#files.set(place.file.id, place.file);
  }
}

export function lengthOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { length }) => sum + length, 0);
}

/** Of the bytes that a checkpoint keeps, at least this part is its own. */
const leastLive = 0.5;
/** A restore opens no more files. */
export const mostFiles = 500;
/** Files that are left when there were too many. */
const filesLeft = 400;

/**
 * The files whose live bytes are written again into the new file, so that a checkpoint keeps at
 * most twice its live bytes. The emptiest files go first, because they cost least for what they
 * free. When there are too many files, those with the fewest bytes go: so one checkpoint in a
 * hundred pays for it, and a large file that does not change is not among them.
 */
export function emptiedFiles(liveByFile: ReadonlyMap<DataFile, number>, newBytes: number): Set<DataFile> {
  const files = [...liveByFile].map(([file, live]) => ({ file, live }));
  const live = files.reduce((sum, one) => sum + one.live, newBytes);
  let kept = files.reduce((sum, { file }) => sum + file.size, newBytes);
  const emptied = new Set<DataFile>();
  for (const one of files.toSorted((a, b) => a.live / a.file.size - b.live / b.file.size)) {
    if (live >= leastLive * kept) break;
    kept -= one.file.size - one.live;
    emptied.add(one.file);
  }
  if (files.length - emptied.size < mostFiles) return emptied;
  for (const { file } of files.toSorted((a, b) => a.live - b.live)) {
    if (files.length - emptied.size < filesLeft) break;
    emptied.add(file);
  }
  return emptied;
}
