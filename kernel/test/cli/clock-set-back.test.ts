// The wall clock is set back between two lives of a job: a checkpoint has the clock of the
// executor, and the next life goes on from it. Timers wait for no wall clock, and no time to live
// becomes longer.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { readSavedSession } from '../../session/saved-session.ts';
import { endsOfExecutor } from './killed-job.ts';
import { Folder, isRunning, killableCli, start, type Started, wholeLines } from './sluice.ts';

const hourMillis = 3_600_000;
/** A record may be due shortly before the clock of its checkpoint was read. */
const minuteMillis = 60_000;
const waitMillis = 2_000;
/** Far below the time that the clock is set back. */
const longestWaitMillis = 180_000;
const notebook = `// %% id=events
import { configure, generate, valueState } from 'sluice';
configure({ checkpoint: { interval: '200ms' }, restart: { kind: 'fixed-delay', attempts: 10, delay: '50ms' } });
const events$ = generate({ rate: 20 }, ({ n, now }) => ({ n, now: Number(now) }));
events$.show();

// %% id=timers
events$.keyBy('n').process({
  onElement({ now }, { timers }) { timers.processingTime(now + ${waitMillis}); },
  *onTimer(at, { key }) { yield { n: key.n, at }; },
}).show();

// %% id=expiring
events$.keyBy(() => 'all').process({
  state: { since: valueState<number>({ ttl: '${waitMillis}ms' }) },
  *onElement({ n, now }, { state }) {
    if (state.since.get() !== undefined) return;
    state.since.set(n);
    yield { n, now };
  },
}).show();
export {};
`;
interface Row {
  readonly n: number;
  readonly now: number;
}

test(
  'a job whose wall clock was set back goes on from the clock of its checkpoint',
  { timeout: 600_000 },
  async (t) => {
    const path = new Folder(t).write('job.sluice.ts', notebook);
    const state = `${path}.state`;
    const clock = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href;
    const begin = (shift: number): Started => {
      const environment = { NODE_OPTIONS: `--import=${clock}`, SLUICE_TEST_CLOCK: String(shift) };
      const life = start(['run', path, '--json', '--state', state], { command: killableCli, environment });
      t.onTestFinished(() => void life.child.kill('SIGKILL'));
      return life;
    };
    const rowsOf = (life: Started, cell: string, from = 0): readonly Row[] =>
      wholeLines(life.out().slice(from)).flatMap((line) =>
        line.cell === cell && 'row' in line ? [line.row as Row] : [],
      );
    const until = async (life: Started, isSo: () => boolean): Promise<void> => {
      for (const end = Date.now() + longestWaitMillis; !isSo(); await sleep(20)) {
        assert.ok(isRunning(life), life.err());
        assert.ok(Date.now() < end, `Waited too long. The last lines: ${life.out().slice(-1_000)} ${life.err()}`);
      }
    };
    /** The last checkpoint of a life that has ended: its time and the executor's clock. */
    const saved = async (): Promise<{ readonly takenAt: number; readonly clock: number }> => {
      const storage = await openCheckpoints(state);
      const { takenAt, session } = storage.restored!;
      await storage.close();
      return { takenAt, clock: readSavedSession(session).clock! };
    };
    const killed = async (life: Started): Promise<void> => {
      life.child.kill('SIGKILL');
      await life.ended;
    };

    const first = begin(0);
    await until(first, () => rowsOf(first, 'timers').length > 5 && rowsOf(first, 'expiring').length > 0);
    await killed(first);
    const before = await saved();
    const lastOfFirst = rowsOf(first, 'events').at(-1)!;
    assert.ok(Math.abs(before.clock - before.takenAt) < hourMillis / 2);

    const second = begin(-hourMillis);
    await until(second, () => rowsOf(second, 'timers').some(({ n }) => n > lastOfFirst.n));
    // What the first life wrote expires in this one, not an hour later.
    await until(second, () => rowsOf(second, 'expiring').some(({ n }) => n > lastOfFirst.n));
    for (const { now } of rowsOf(second, 'events'))
      assert.ok(now > before.clock - minuteMillis, `${now} is before ${before.clock}`);
    const fired = new Set([first, second].flatMap((life) => rowsOf(life, 'timers').map(({ n }) => n)));
    for (let n = 0; n <= lastOfFirst.n; n++) assert.ok(fired.has(n), `the timer of ${n} has fired`);

    // The next executor of the same process goes on from there, too.
    const ends = endsOfExecutor(second.err());
    const shown = second.out().lastIndexOf('\n') + 1;
    const latest = rowsOf(second, 'events').at(-1)!;
    second.child.kill('SIGUSR2');
    await until(second, () => endsOfExecutor(second.err()) > ends);
    await until(second, () => rowsOf(second, 'timers', shown).some(({ n }) => n > latest.n));
    for (const { now } of rowsOf(second, 'events', shown))
      assert.ok(now > before.clock - minuteMillis, `${now} is before ${before.clock}`);
    await killed(second);

    // The time of this checkpoint is an hour behind the clock that it has.
    const after = await saved();
    assert.ok(after.takenAt < before.takenAt - hourMillis / 2);
    assert.ok(after.clock >= before.clock);
    const third = begin(-hourMillis);
    await until(third, () => rowsOf(third, 'timers').length > 5);
    for (const { now } of rowsOf(third, 'events'))
      assert.ok(now > after.clock - minuteMillis, `${now} is before ${after.clock}`);
    await killed(third);
  },
);
