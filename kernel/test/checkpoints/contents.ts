// Contents of checkpoints for the tests: random ones, and small ones whose text is easy to read.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import { valueSegment } from '../../../engine/state/segment.ts';
import type { CheckpointContent } from '../../checkpoints/checkpoint-storage.ts';

/** A folder that ends with the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-checkpoints-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A segment of about this many bytes. */
export function segment(bytes: number, fill: unknown = 'x'): Uint8Array {
  return valueSegment(`${String(fill)}:`.padEnd(bytes, '.'));
}

export function task(groups: Readonly<Record<number, readonly Uint8Array[]>>, more: Partial<TaskSnapshot> = {}) {
  const entries = Object.entries(groups).map(([group, chain]) => [Number(group), chain] as const);
  return { full: true, groups: new Map(entries), watermark: 0, ...more } satisfies TaskSnapshot;
}

export function content(
  id: number,
  parts: Readonly<Record<string, TaskSnapshot>> = {},
  session: unknown = { cells: [`cell of ${id}`] },
): CheckpointContent {
  return {
    id,
    takenAt: 1_700_000_000_000 + id,
    kind: 'checkpoint',
    session,
    parts: new Map(Object.entries(parts)),
  };
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.uint8Array({ minLength: 4096, maxLength: 5000 }),
  fc.nat(255).map((fill) => new Uint8Array(2_500_000).fill(fill)),
  fc.uint8Array({ minLength: 4096, maxLength: 4200 }).map((some) => Buffer.from(some)),
  fc.uint8Array({ maxLength: 50 }).map((some) => new DataView(some.buffer)),
);

/** What a session may hold. */
const sessionValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, undefined, true, -0, NaN, 2 ** 40, 10n ** 30n, new Date(5), '\ud800'),
    fc.string(),
    bytes,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
})).value;

const anySegment = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 3000 })).map(([fill, size]) => segment(size, fill));

const anyTask: fc.Arbitrary<TaskSnapshot> = fc
  .record({
    chains: fc.dictionary(fc.nat(127).map(String), fc.array(anySegment, { minLength: 1, maxLength: 4 }), {
      maxKeys: 6,
    }),
    watermark: fc.oneof(fc.constantFrom(-Infinity, Infinity), fc.integer()),
    value: fc.option(fc.oneof(anySegment, fc.constant(segment(9000, 'value'))), { nil: undefined }),
    hasSchema: fc.boolean(),
    gate: fc.option(
      fc.record({ slots: fc.constant([]), inputs: fc.constant([]), owed: fc.constant([]) }, { noNullPrototype: true }),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ chains, watermark, value, hasSchema, gate }) =>
    task(chains, {
      watermark,
      ...(value && { value }),
      ...(gate && { gate }),
      ...(hasSchema && { schema: { namespace: 'window', key: ['who'], columns: ['total'] } }),
    }),
  );

export const anyContent: fc.Arbitrary<Omit<CheckpointContent, 'id'>> = fc.record({
  takenAt: fc.integer({ min: -1000, max: 2_000_000_000_000 }),
  kind: fc.constantFrom('checkpoint' as const, 'savepoint' as const),
  session: sessionValue,
  parts: fc
    .dictionary(fc.string(), anyTask, { maxKeys: 4, noNullPrototype: true })
    .map((parts) => new Map(Object.entries(parts))),
});
