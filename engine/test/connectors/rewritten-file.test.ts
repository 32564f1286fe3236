// A followed file that an editor saves in place: one value in the middle has changed, and a line
// was appended. The file is read from its start again. A log that only grows costs little.
import assert from 'node:assert/strict';
import fs, { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { PolledSource } from './polled-source.ts';

/** All bytes that were read with readSync. */
let bytesRead = 0;
const { readSync } = fs;
fs.readSync = (...parameters: unknown[]): number => {
  const count = Reflect.apply(readSync, fs, parameters) as number;
  bytesRead += count;
  return count;
};
syncBuiltinESMExports();
afterAll(() => {
  fs.readSync = readSync;
  syncBuiltinESMExports();
});

const root = mkdtempSync(join(tmpdir(), 'sluice-rewritten-'));
afterAll(() => rmSync(root, { recursive: true }));

const line = (n: number): string => `{"n":${String(n).padStart(7, '0').replace(/^0/, '1')}}\n`;
const text = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => line(from + i)).join('');

function followed(content: string): {
  readonly path: string;
  readonly source: PolledSource;
  readonly look: () => void;
} {
  const path = join(mkdtempSync(join(root, 'log-')), 'log.jsonl');
  writeFileSync(path, content);
  const parameters = { path, format: 'jsonl', follow: true, watermark: { outOfOrdernessMillis: 0 } };
  const source = new PolledSource({ kind: 'file', parameters });
  const look = (): void => {
    source.clock.advanceTo(source.clock.now() + 200);
    source.poll(100_000);
  };
  for (let i = 0; i < 20; i++) look();
  return { path, source, look };
}
/** Like the Save of an editor: the same file, emptied and written. */
function save(path: string, change: (content: string) => string): void {
  const content = change(readFileSync(path, 'utf8'));
  truncateSync(path);
  appendFileSync(path, content);
}
const numbers = (source: PolledSource): number[] => source.emitted.map(({ value }) => (value as { n: number }).n);
const numberAt = (n: number): number => 1_000_000 + n;

for (const [what, rows] of [
  ['of three lines', 3],
  ['of some blocks', 12_000],
  ['larger than what one look compares', 120_000],
] as const)
  for (const place of [0.4, 0.5, 0.9])
    test(`a file ${what} is saved with a change at ${place} of it and a line more: it is read from its start`, () => {
      const { path, source, look } = followed(text(0, rows));
      assert.equal(source.emitted.length, rows);
      const changed = Math.floor(rows * place);
      save(path, (content) => content.replace(line(changed), line(777_777)) + line(rows));
      for (let i = 0; i < 40; i++) look();
      const again = numbers(source).slice(-rows - 1);
      assert.equal(again[changed], numberAt(777_777));
      assert.deepEqual([again[0], again.at(-1)], [numberAt(0), numberAt(rows)]);
      assert.match(
        source.source.status().mayBeMissing ?? '',
        /was truncated or rewritten between .* read from its start/,
      );
      source.source.close();
    });

test('a row of a small file that was saved with a change is read once', () => {
  const { path, source, look } = followed(text(0, 3));
  save(path, (content) => content.replace(line(1), line(8)) + line(3));
  for (let i = 0; i < 20; i++) look();
  assert.deepEqual(numbers(source), [0, 1, 2, 0, 8, 2, 3].map(numberAt));
  source.source.close();
});

test('the time since when rows may be missing is before the change, also if it is found some looks later', () => {
  const { path, source, look } = followed(text(0, 120_000));
  // The log grows at each look, so blocks are always due.
  for (let i = 0; i < 30; i++) {
    appendFileSync(path, line(120_000 + i));
    look();
  }
  const changedAt = source.clock.now();
  save(path, (content) => content.replace(line(60_000), line(777_777)) + line(120_030));
  for (let i = 0; i < 40; i++) look();
  const [, since] = /between (\S+) and/.exec(source.source.status().mayBeMissing ?? '') ?? [];
  assert.ok(Date.parse(since!) <= changedAt, `${since} ${changedAt}`);
  assert.ok(Date.parse(since!) > changedAt - 10_000);
  source.source.close();
});

test('a log that only grows is compared by a few blocks at each look, and not at all when it is quiet', () => {
  const { path, source, look } = followed(text(0, 300_000));
  const before = bytesRead;
  for (let i = 0; i < 20; i++) {
    appendFileSync(path, line(300_000 + i));
    look();
  }
  // The samples at both ends have 4 KB each.
  assert.ok(bytesRead - before < 20 * (300 << 10), `${bytesRead - before} bytes`);
  assert.ok(bytesRead - before > 20 * (100 << 10), 'nothing is compared');
  for (let i = 0; i < 60; i++) look();
  const quiet = bytesRead;
  for (let i = 0; i < 60; i++) look();
  assert.equal(bytesRead, quiet);
  assert.equal(source.emitted.length, 300_020);
  assert.equal(source.source.status().mayBeMissing, undefined);
  source.source.close();
});

test('after a restore, a change of what was read before it is found too', () => {
  const { path, source } = followed(text(0, 120_000));
  const snapshot = source.snapshot();
  source.source.close();
  const parameters = { path, format: 'jsonl', follow: true, watermark: { outOfOrdernessMillis: 0 } };
  const restored = new PolledSource({ kind: 'file', parameters, snapshot });
  const look = (): void => {
    restored.clock.advanceTo(restored.clock.now() + 200);
    restored.poll(200_000);
  };
  // The blocks are known after one round.
  for (let i = 0; i < 20; i++) {
    appendFileSync(path, line(120_000 + i));
    look();
  }
  assert.deepEqual(numbers(restored).slice(0, 2), [numberAt(120_000), numberAt(120_001)]);
  save(path, (content) => content.replace(line(60_000), line(777_777)) + line(120_020));
  for (let i = 0; i < 40; i++) look();
  assert.ok(numbers(restored).includes(numberAt(777_777)));
  restored.source.close();
});
