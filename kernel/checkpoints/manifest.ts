// The manifest of a checkpoint: one small file, written last, that names everything else. Its bytes
// are a segment of one value (engine/state/segment.ts), so it has a checksum:
//
//   { format: 1, id, takenAt, kind,
//     files: [id of a data file, …],
//     large: [[class, extent, …], …],          large bytes by their numbers (large-bytes.ts)
//     session,
//     parts: Map { instance → { rest, groups: Map { key group → [extent, …] } } } }
//
// An extent is three numbers: the index of its file in `files`, the offset, the length. Each extent
// is a segment with a checksum of its own. `rest` is a TaskSnapshot without its `groups`
// and `garbage`.
import { SluiceError } from '../../engine/errors/error.ts';
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import { formatOf, segmentFormat, segmentValue, valueSegment } from '../../engine/state/segment.ts';
import type { CheckpointContent } from './checkpoint-storage.ts';
import { newerState } from './disk-errors.ts';
import { type LargeBytes, LargeBytesTaker, withLargeBytes } from './large-bytes.ts';
import type { Extent, Place } from './places.ts';

export const manifestFormat = 1;

/** What is written as it is, and what is written by its place. */
export interface ContentParts {
  readonly session: unknown;
  readonly rests: ReadonlyMap<string, unknown>;
  /** Segments of all chains, each once. */
  readonly segments: ReadonlySet<Uint8Array>;
  /** By their numbers. */
  readonly large: readonly LargeBytes[];
}

/** Takes a content apart. */
export function partsOf(content: CheckpointContent): ContentParts {
  const taker = new LargeBytesTaker();
  const session = taker.without(content.session);
  const rests = new Map<string, unknown>();
  const segments = new Set<Uint8Array>();
  for (const [instance, { groups, garbage: _garbage, ...rest }] of content.parts) {
    rests.set(instance, taker.without(rest));
    for (const chain of groups.values()) for (const segment of chain) segments.add(segment);
  }
  return { session, rests, segments, large: taker.taken };
}

interface ManifestValue {
  readonly format: number;
  readonly id: number;
  readonly takenAt: number;
  readonly kind: CheckpointContent['kind'];
  readonly files: readonly number[];
  readonly large: readonly (readonly [string, ...number[]])[];
  readonly session: unknown;
  readonly parts: ReadonlyMap<string, PartValue>;
}
interface PartValue {
  readonly rest: Omit<TaskSnapshot, 'groups'>;
  readonly groups: ReadonlyMap<number, readonly number[]>;
}

export function manifestBytes(
  content: CheckpointContent,
  { session, rests, large }: ContentParts,
  placeOf: (bytes: LargeBytes) => Place,
): Uint8Array {
  const files: number[] = [];
  const indexes = new Map<number, number>();
  const numbersOf = (bytes: LargeBytes): number[] => {
    const { file, extents } = placeOf(bytes);
    let index = indexes.get(file.id);
    if (index === undefined) indexes.set(file.id, (index = files.push(file.id) - 1));
    return extents.flatMap(({ offset, length }) => [index, offset, length]);
  };
  const parts = new Map<string, unknown>();
  for (const [instance, { groups }] of content.parts) {
    const numbers = [...groups].map(([group, chain]) => [group, chain.flatMap(numbersOf)] as const);
    parts.set(instance, { rest: rests.get(instance), groups: new Map(numbers) });
  }
  const { id, takenAt, kind } = content;
  const largeValues = large.map((bytes) => [classOf(bytes), ...numbersOf(bytes)]);
  return valueSegment({ format: manifestFormat, id, takenAt, kind, files, large: largeValues, session, parts });
}

function classOf(bytes: LargeBytes): string {
  if (bytes instanceof Uint8Array) return Buffer.isBuffer(bytes) ? 'Buffer' : 'Uint8Array';
  return 'DataView';
}

/** An extent that a manifest names. */
export interface NamedExtent extends Extent {
  /** Id of the data file. */
  readonly file: number;
}

export interface Manifest {
  readonly id: number;
  /** Ids of its data files. */
  readonly files: readonly number[];
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly value: ManifestValue;
}

/**
 * Reads a manifest. Throws `bad-state` when it is broken, with a short reason, and `newer-state`.
 * The checksum is looked at first: a broken byte must not look like a later format.
 */
export function readManifest(bytes: Uint8Array, id: number, place: string): Manifest {
  const format = formatOf(bytes);
  if (format === undefined) throw broken('its manifest does not match its checksum');
  if (format > segmentFormat) throw newerState(place, format, segmentFormat);
  const value = segmentValue(bytes) as ManifestValue;
  if (value.format > manifestFormat) throw newerState(place, value.format, manifestFormat);
  if (value.id !== id) throw broken(`its manifest is of checkpoint ${value.id}`);
  return { id, files: value.files, size: bytes.length, value };
}

/** Everything that has to be read from the data files. */
export function extentsOf({ value }: Manifest): NamedExtent[] {
  const chains = [...value.parts.values()].flatMap(({ groups }) => [...groups.values()]);
  const large = value.large.map(([, ...numbers]) => numbers);
  return [...chains, ...large].flatMap((numbers) => namedExtents(value.files, numbers));
}

function namedExtents(files: readonly number[], numbers: readonly number[]): NamedExtent[] {
  return Array.from({ length: numbers.length / 3 }, (_, i) => ({
    file: files[numbers[3 * i]!]!,
    offset: numbers[3 * i + 1]!,
    length: numbers[3 * i + 2]!,
  }));
}

/**
 * Puts a content together. `segmentAt` returns the bytes of an extent. `found` is called with all
 * bytes in the content that have a place of their own.
 */
export function contentOf(
  { value }: Manifest,
  segmentAt: (extent: NamedExtent) => Uint8Array,
  found: (bytes: LargeBytes, extents: readonly NamedExtent[]) => void,
): CheckpointContent {
  const large = value.large.map(([className, ...numbers]) => {
    const extents = namedExtents(value.files, numbers);
    const chunks = extents.map((extent) => segmentValue(segmentAt(extent)) as Uint8Array);
    const bytes = largeOf(className, chunks);
    found(bytes, extents);
    return bytes;
  });
  const parts = new Map<string, TaskSnapshot>();
  for (const [instance, { rest, groups }] of value.parts) {
    const chains = [...groups].map(([group, numbers]) => {
      const chain = namedExtents(value.files, numbers).map((extent) => {
        const segment = segmentAt(extent);
        found(segment, [extent]);
        return segment;
      });
      return [group, chain] as const;
    });
    const ownRest = withLargeBytes(rest, large) as typeof rest;
    parts.set(instance, { ...ownRest, groups: new Map(chains) });
  }
  const { id, takenAt, kind } = value;
  return { id, takenAt, kind, session: withLargeBytes(value.session, large), parts };
}

function largeOf(className: string, chunks: readonly Uint8Array[]): LargeBytes {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (className === 'Buffer') return Buffer.from(bytes.buffer);
  return className === 'DataView' ? new DataView(bytes.buffer) : bytes;
}

/** `reason` goes on after "Checkpoint 12 is left out:". */
export function broken(reason: string): SluiceError {
  return new SluiceError('bad-state', reason);
}
