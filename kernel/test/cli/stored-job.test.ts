// The state of a real job, as `sluice run --state` left it in format 1: it was stopped in the
// middle of windows, joins, patterns and timers. Every later version goes on from it. It was made
// once (kernel/test/checkpoints/fixtures/job-1) and is never made again.
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { type Ended, Folder, type JsonLine, sluice } from './sluice.ts';

const fixture = join(import.meta.dirname, '../checkpoints/fixtures/job-1');
const cells = ['rolling', 'windows', 'joined', 'matched', 'timed', 'told'];
const rowsOf = (lines: readonly JsonLine[], cell: string): string[] =>
  lines.flatMap((line) => (line.cell === cell && 'row' in line ? [JSON.stringify(line.row)] : []));

for (const [how, option] of [
  ['with --state', '--state'],
  ['with --from-savepoint', '--from-savepoint'],
] as const)
  test(`the stored state of a job in format 1 goes on ${how}`, { timeout: 600_000 }, async (t) => {
    const text = readFileSync(join(fixture, 'notebook.txt'), 'utf8');
    const path = new Folder(t).write('job.sluice.ts', text);
    const state = join(dirname(path), 'state');
    // A copy, because opening writes a lock.
    cpSync(join(fixture, 'state'), state, { recursive: true });
    const ended = await sluice('run', path, '--json', option, state);
    assert.equal(ended.code, 0, ended.out.slice(-1_000) + ended.err);
    assert.doesNotMatch(ended.err, /left out/);
    const unpaced = new Folder(t).write('job.sluice.ts', text.replace('rate: 200', 'rate: 1_000_000'));
    const undisturbed = await sluice('run', unpaced, '--json');
    assert.equal(undisturbed.code, 0, undisturbed.err);
    assertTail(ended, undisturbed);
  });

/** The rows after the stored checkpoint: the last ones of a job that nobody stopped. */
function assertTail({ lines }: Ended, undisturbed: Ended): void {
  for (const cell of cells) {
    const all = rowsOf(undisturbed.lines, cell);
    const found = rowsOf(lines, cell);
    assert.ok(found.length > 0, `${cell} has rows`);
    assert.deepEqual(found.toSorted(), all.slice(-found.length).toSorted(), `${cell}: the rows of the end`);
  }
  // The first window was open: its row has the records of before.
  assert.ok(rowsOf(lines, 'rolling').length < rowsOf(undisturbed.lines, 'rolling').length, 'it does not begin anew');
}
