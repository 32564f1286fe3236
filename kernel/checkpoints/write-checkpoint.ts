// Writes one checkpoint: the data file with what is not on disk yet, then the manifest. The
// checkpoint is there when its manifest has its name, so each moment before is "not there".
import { join } from 'node:path';
import type { CheckpointContent } from './checkpoint-storage.ts';
import { DataWriter } from './data-writer.ts';
import { type Disk, writeAtOnce, writeNew } from './disk.ts';
import { fileName } from './file-names.ts';
import type { LargeBytes } from './large-bytes.ts';
import { type ContentParts, manifestBytes, partsOf } from './manifest.ts';
import { type DataFile, emptiedFiles, lengthOf, type Place } from './places.ts';

export interface Written {
  /** Where the bytes lie that the new data file has. */
  readonly added: ReadonlyMap<LargeBytes, Place>;
  /** Ids of the data files that the checkpoint needs. */
  readonly files: ReadonlySet<number>;
  /** Bytes that a restore needs, and bytes that were written. */
  readonly live: number;
  readonly newBytes: number;
}

/** `placeOf` knows what is on disk already. An error leaves half of the files. */
export async function writeCheckpoint(
  disk: Disk,
  directory: string,
  content: CheckpointContent,
  placeOf: (bytes: LargeBytes) => Place | undefined,
): Promise<Written> {
  const parts = partsOf(content);
  const added = await writeData(disk, directory, content.id, parts, placeOf);
  const places = new Map<LargeBytes, Place>();
  for (const bytes of allBytes(parts)) places.set(bytes, added.get(bytes) ?? placeOf(bytes)!);
  const manifest = manifestBytes(content, parts, (bytes) => places.get(bytes)!);
  await writeAtOnce(disk, directory, fileName(content.id, 'manifest'), manifest);
  const live = [...places.values()].reduce((sum, { extents }) => sum + lengthOf(extents), manifest.length);
  const newBytes = [...added.values()].reduce((sum, { extents }) => sum + lengthOf(extents), manifest.length);
  return { added, files: new Set([...places.values()].map(({ file }) => file.id)), live, newBytes };
}

function allBytes({ segments, large }: ContentParts): LargeBytes[] {
  return [...segments, ...large];
}

async function writeData(
  disk: Disk,
  directory: string,
  id: number,
  parts: ContentParts,
  placeOf: (bytes: LargeBytes) => Place | undefined,
): Promise<ReadonlyMap<LargeBytes, Place>> {
  const emptied = emptiedBy(allBytes(parts), placeOf);
  const isNew = (bytes: LargeBytes): boolean => {
    const place = placeOf(bytes);
    return !place || emptied.has(place.file);
  };
  const segments = [...parts.segments].filter(isNew);
  const large = parts.large.filter(isNew);
  const added = new Map<LargeBytes, Place>();
  if (segments.length + large.length === 0) return added;
  const file: DataFile = { id, size: 0, isRemoved: false };
  await writeNew(disk, join(directory, fileName(id, 'data')), async (newFile) => {
    const writer = new DataWriter(newFile);
    for (const segment of segments) added.set(segment, { file, extents: [await writer.segment(segment)] });
    for (const bytes of large) added.set(bytes, { file, extents: await writer.large(bytes) });
    await writer.flush();
    file.size = writer.size;
  });
  return added;
}

function emptiedBy(
  all: readonly LargeBytes[],
  placeOf: (bytes: LargeBytes) => Place | undefined,
): ReadonlySet<DataFile> {
  const liveByFile = new Map<DataFile, number>();
  let newBytes = 0;
  for (const bytes of all) {
    const place = placeOf(bytes);
    if (place) liveByFile.set(place.file, (liveByFile.get(place.file) ?? 0) + lengthOf(place.extents));
    else newBytes += bytes.byteLength;
  }
  return emptiedFiles(liveByFile, newBytes);
}
