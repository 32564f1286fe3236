// What a state directory has when it is opened. It only reads: until everything is known, nothing
// is removed.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';
import { isSluiceError } from '../../engine/errors/thrown.ts';
import { segmentValue } from '../../engine/state/segment.ts';
import type { CheckpointContent, SkippedCheckpoint } from './checkpoint-storage.ts';
import { unfinishedName } from './disk.ts';
import { fileName, nextIdName, parsedName } from './file-names.ts';
import type { Manifest } from './manifest.ts';
import type { Places } from './places.ts';
import { readContent, readManifestOf } from './read-checkpoint.ts';

export interface Scanned {
  readonly restored: CheckpointContent | undefined;
  readonly skipped: readonly SkippedCheckpoint[];
  /** The restored one and older ones whose manifests are whole, oldest first. */
  readonly manifests: readonly Manifest[];
  /** A manifest is broken: what it named is not known. */
  readonly isUnsure: boolean;
}

export interface Listed {
  /** Names of files of checkpoints. */
  readonly names: readonly string[];
  readonly nextId: number;
  /** A file tells it, beside those of checkpoints. */
  readonly isRecorded: boolean;
  /** The beginning of that file is there. */
  readonly hasUnfinishedId: boolean;
}

export async function listDirectory(directory: string): Promise<Listed> {
  const all = await readdir(directory);
  const names = all.filter((name) => parsedName(name) !== undefined);
  const ids = names.map((name) => parsedName(name)!.id);
  const recorded = await recordedId(directory);
  const nextId = Math.max(1, recorded, ...ids.map((id) => id + 1));
  return { names, nextId, isRecorded: nextId === recorded, hasUnfinishedId: all.includes(unfinishedName(nextIdName)) };
}

async function recordedId(directory: string): Promise<number> {
  try {
    return (segmentValue(await readFile(join(directory, nextIdName))) as { readonly nextId: number }).nextId;
  } catch {
    // It is written only when the last id has no file.
    return 1;
  }
}

/** Throws `bad-state` when there are checkpoints and none is whole, and `newer-state`. */
export async function scanDirectory(directory: string, names: readonly string[], places: Places): Promise<Scanned> {
  const scanned = await newestOf(directory, names, places);
  if (scanned.isUnsure && !scanned.restored) throw noneWhole(directory, scanned.skipped);
  return scanned;
}

/** As `scanDirectory`, but none has to be whole. Error: `newer-state`. */
export async function newestOf(directory: string, names: readonly string[], places: Places): Promise<Scanned> {
  const parsed = names.map((name) => parsedName(name)!);
  const ids = parsed.flatMap(({ id, kind }) => (kind === 'manifest' ? [id] : [])).toSorted((a, b) => b - a);
  const manifests: Manifest[] = [];
  const skipped: SkippedCheckpoint[] = [];
  let restored: CheckpointContent | undefined;
  let isUnsure = false;
  for (const id of ids) {
    try {
      const manifest = await readManifestOf(directory, id);
      restored ??= await readContent(directory, manifest, places);
      manifests.unshift(manifest);
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'bad-state') throw error;
      isUnsure = true;
      if (!restored) skipped.push({ id, reason: `Checkpoint ${id} is left out: ${error.message}.` });
    }
  }
  const known = new Set(ids);
  const unfinished = new Set(parsed.flatMap(({ id }) => (known.has(id) || id < (restored?.id ?? 0) ? [] : [id])));
  for (const id of unfinished)
    skipped.push({ id, reason: `Checkpoint ${id} is left out: it was not finished when its process ended.` });
  return { restored, skipped: skipped.toSorted((a, b) => b.id - a.id), manifests, isUnsure };
}

/** The first of these checkpoints that is whole. Error: `newer-state`. */
export async function newestWhole(
  directory: string,
  ids: readonly number[],
  places: Places,
): Promise<CheckpointContent | undefined> {
  for (const id of ids) {
    try {
      return await readContent(directory, await readManifestOf(directory, id), places);
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'bad-state') throw error;
    }
  }
  return undefined;
}

/** Sentences: why these are left out. */
export function reasonsOf(skipped: readonly SkippedCheckpoint[]): string {
  const reasons = skipped.slice(0, 3).map(({ reason }) => reason);
  if (skipped.length > 3) reasons.push(`So are ${skipped.length - 3} others.`);
  return reasons.join(' ');
}

function noneWhole(directory: string, skipped: readonly SkippedCheckpoint[]): SluiceError {
  return new SluiceError(
    'bad-state',
    `No checkpoint in ${directory} can be restored. ${reasonsOf(skipped)} Nothing was removed. Put a copy of the directory in its place, or start fresh, which removes the checkpoints.`,
    { directory, skipped },
  );
}

/** The names that the checkpoints of these manifests need. */
export function neededNames(manifests: readonly Pick<Manifest, 'id' | 'files'>[]): Set<string> {
  return new Set(
    manifests.flatMap(({ id, files }) => [fileName(id, 'manifest'), ...files.map((file) => fileName(file, 'data'))]),
  );
}
