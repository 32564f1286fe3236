// Reads one checkpoint from its directory, and checks the checksum of everything it needs.
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatOf, segmentFormat } from '../../engine/state/segment.ts';
import type { CheckpointContent } from './checkpoint-storage.ts';
import { errnoOf } from './disk.ts';
import { newerState } from './disk-errors.ts';
import { fileName } from './file-names.ts';
import { broken, contentOf, extentsOf, type Manifest, type NamedExtent, readManifest } from './manifest.ts';
import type { Places } from './places.ts';
import { type DataFile } from './places.ts';

/** Read at once: the bytes of neighbouring extents, and small gaps between them. */
const stepBytes = 4 << 20;
const smallGap = 64 << 10;

/** Throws `bad-state` when it is broken, and `newer-state`. */
export async function readManifestOf(directory: string, id: number): Promise<Manifest> {
  const name = fileName(id, 'manifest');
  return readManifest(await unlessLost(readFile(join(directory, name)), name), id, `Checkpoint ${id} in ${directory}`);
}

/**
 * Throws `bad-state` when a file is broken, and `newer-state`. `places` gets where the bytes lie.
 */
export async function readContent(directory: string, manifest: Manifest, places: Places): Promise<CheckpointContent> {
  const files = new Map<number, DataFile>();
  const segments = new Map<string, Uint8Array>();
  for (const [id, extents] of Map.groupBy(extentsOf(manifest), ({ file }) => file)) {
    const name = fileName(id, 'data');
    const file = await unlessLost(open(join(directory, name)), name);
    try {
      files.set(id, { id, size: (await file.stat()).size, isRemoved: false });
      for (const range of rangesOf(extents)) {
        const bytes = await unlessLost(bytesAt(file, range), name);
        for (const extent of range.extents) {
          const at = extent.offset - range.start;
          // A copy of its own: a view would keep the whole range in memory.
          const segment = new Uint8Array(bytes.subarray(at, at + extent.length));
          const format = formatOf(segment);
          if (format === undefined)
            throw broken(`the ${extent.length} bytes at ${extent.offset} of ${name} do not match their checksum`);
          if (format > segmentFormat)
            throw newerState(`Checkpoint ${manifest.id} in ${directory}`, format, segmentFormat);
          segments.set(keyOf(extent), segment);
        }
      }
    } finally {
      await file.close();
    }
  }
  return contentOf(
    manifest,
    (extent) => segments.get(keyOf(extent))!,
    (bytes, extents) => {
      const file = extents[0] && files.get(extents[0].file);
      if (file) places.set(bytes, { file, extents });
    },
  );
}

function keyOf({ file, offset }: NamedExtent): string {
  return `${file} ${offset}`;
}

interface Range {
  readonly start: number;
  end: number;
  readonly extents: NamedExtent[];
}

function rangesOf(extents: readonly NamedExtent[]): Range[] {
  const ranges: Range[] = [];
  for (const extent of extents.toSorted((a, b) => a.offset - b.offset)) {
    const last = ranges.at(-1);
    const end = extent.offset + extent.length;
    if (last && extent.offset <= last.end + smallGap && end - last.start <= stepBytes) {
      last.end = Math.max(last.end, end);
      last.extents.push(extent);
    } else {
      ranges.push({ start: extent.offset, end, extents: [extent] });
    }
  }
  return ranges;
}

/** Of a file that is too short, the missing bytes are 0. */
async function bytesAt(file: FileHandle, { start, end }: Range): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes;
}

/** A file that is gone or lies on a broken part of a disk is broken state. */
async function unlessLost<T>(reading: Promise<T>, name: string): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw broken(`its file ${name} is missing`);
    if (errnoOf(error) === 'EIO') throw broken(`its file ${name} cannot be read (EIO)`);
    throw error;
  }
}
