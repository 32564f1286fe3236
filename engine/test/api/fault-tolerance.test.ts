// The options `checkpoint` and `restart` of configure(): what they mean, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { checkpointSettings, exponentialDelay, restartStrategy } from '../../api/fault-tolerance.ts';

const check = checkpointSettings as (options: unknown) => unknown;
const restart = restartStrategy as (options: unknown) => unknown;

test('a checkpoint has an interval, and defaults for the rest', () => {
  assert.deepEqual(check({ checkpoint: { interval: '5s' } }), {
    ...{ intervalMillis: 5_000, timeoutMillis: 600_000, retained: 3 },
  });
  assert.equal(check({}), undefined);
  assert.equal(check({ checkpoint: false }), false);
});

for (const [what, options, message] of [
  ['no interval', {}, /interval/],
  ['an interval of 0', { interval: '0s' }, /interval is a number above 0/],
  ['nothing retained', { interval: '1s', retained: 0 }, /nothing would be left to restore from/],
  ['unaligned ones', { interval: '1s', unaligned: true }, /unaligned checkpoints .* come in a later version/],
  ['a folder', { interval: '1s', directory: '/tmp/x' }, /Use sluice run --state DIR/],
  ['another mode', { interval: '1s', mode: 'twice' }, /mode is one of/],
  ['an unknown option', { interval: '1s', timout: '1s' }, /Closest: "timeout"/],
] as const)
  test(`a checkpoint with ${what} is refused`, () => {
    assert.throws(() => check({ checkpoint: options }), message);
  });

test('the restart strategies have Flink’s defaults', () => {
  assert.deepEqual(restart({ restart: { kind: 'exponential-delay' } }), exponentialDelay);
  assert.deepEqual(restart({ restart: { kind: 'fixed-delay', attempts: 4, delay: '10s' } }), {
    ...{ kind: 'fixed-delay', attempts: 4, delayMillis: 10_000 },
  });
  assert.deepEqual(restart({ restart: { kind: 'failure-rate', failures: 3 } }), {
    ...{ kind: 'failure-rate', failures: 3, perMillis: 60_000, delayMillis: 1_000 },
  });
  assert.deepEqual(restart({ restart: { kind: 'none' } }), { kind: 'none' });
  assert.equal(restart({}), undefined);
});

for (const [what, options, message] of [
  ['an unknown kind', { kind: 'always' }, /kind is one of/],
  ['no attempts', { kind: 'fixed-delay' }, /attempts is a whole number/],
  ['an option of another kind', { kind: 'none', attempts: 3 }, /has no option "attempts"/],
  ['a multiplier below 1', { kind: 'exponential-delay', multiplier: 0.5 }, /The delay would shrink/],
  ['a jitter above 1', { kind: 'exponential-delay', jitter: 2 }, /from 0 to 1/],
  [
    'a maximum below the first delay',
    { kind: 'exponential-delay', initial: '5s', max: '1s' },
    /shorter than its initial/,
  ],
] as const)
  test(`a restart strategy with ${what} is refused`, () => {
    assert.throws(() => restart({ restart: options }), message);
  });
