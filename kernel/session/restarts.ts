// Restarts with Flink's strategies. A failure ends the executor, and after a delay the next one
// goes on from the last snapshot: sources rewind, and no operator stays failed.
//
//   failure ─strategy allows─► executor ends ─delay─► starting ─► restoring ─► ready
//      ├─strategy refuses────► the cell is failed, with this failure and the first one
//      └─it is permanent─────► the cell is failed at once, with this failure
//
// A notebook that names no strategy goes on without one: its other cells do not stop for a failure.
// But when a sink has lost the rows of its open transaction, only its last snapshot has them. So
// then it goes back by itself, a few times.
import { type RestartStrategy, restartStrategy } from '../../engine/api/fault-tolerance.ts';
import { isPermanent } from '../../engine/errors/permanent.ts';
import type { LocatedError } from '../executor/executor-protocol.ts';
import type { Failure, Restarts } from './checkpoint-state.ts';
import { optionsOf } from './checkpoints.ts';
import { isConnecting } from './plan-end.ts';
import type { Session } from './state.ts';

/** The first failure and the last ones are kept, however many there are. */
const keptFailures = 1_000;
const keptMarks = 100;

/** Somebody else has ended the transaction of a sink, and a restart writes its rows again. */
const lostRows: ReadonlySet<string> = new Set([
  'transaction-fenced',
  'transaction-timed-out',
  'transaction-topic-gone',
]);
/** Two sessions that take one id from each other must come to an end. */
const forLostRows: RestartStrategy = { kind: 'failure-rate', failures: 3, perMillis: 600_000, delayMillis: 1_000 };

function strategyOf(session: Session, code: string): RestartStrategy {
  return goesBackByItself(session, code)
    ? forLostRows
    : (restartStrategy(optionsOf(session)) ?? session.settings.restart);
}
/** Nobody has named a strategy for the notebook, and only the last snapshot has the rows. */
export function goesBackByItself(session: Session, code: string): boolean {
  const { restart, attach } = session.settings;
  const isNamed = restartStrategy(optionsOf(session)) !== undefined || restart.kind !== 'none';
  return !isNamed && attach === 'each' && lostRows.has(code);
}

/**
 * The session with the restart that this failure causes. undefined: the strategy allows none, or a
 * restart cannot mend it. Then the failure is that of its cell.
 */
export function restartAfter(session: Session, cell: string, error: LocatedError, now: number): Session | undefined {
  const strategy = strategyOf(session, error.code);
  const { restarts } = session;
  if (strategy.kind === 'none' || isPermanent(error.code)) return undefined;
  const failure: Failure = { at: now, cell, error };
  const failures = [...counted(strategy, restarts.failures, now), failure];
  const delay = delayOf(strategy, failures, now);
  if (delay === undefined) return undefined;
  const [first] = failures;
  const kept = failures.length > keptFailures ? [first!, ...failures.slice(1 - keptFailures)] : failures;
  const outage = { first: restarts.outage?.first ?? failure, failures: (restarts.outage?.failures ?? 0) + 1 };
  return { ...session, restarts: { ...restarts, failures: kept, outage, startsAt: now + delay } };
}

/**
 * The executor has reported. The outage is over when it runs and each source has reached what it
 * reads: a later failure has a cause of its own.
 */
export function outageOver(session: Session): Session {
  const { outage, ...restarts } = session.restarts;
  if (!outage || session.executor !== 'ready' || restarts.startsAt !== undefined) return session;
  return session.mutation || isConnecting(session) ? session : { ...session, restarts };
}

/** The failures that the strategy still counts. */
function counted(strategy: RestartStrategy, failures: readonly Failure[], now: number): readonly Failure[] {
  switch (strategy.kind) {
    case 'failure-rate':
      return failures.filter(({ at }) => now - at <= strategy.perMillis);
    case 'exponential-delay': {
      const last = failures.at(-1);
      return last && now - last.at > strategy.resetMillis ? [] : failures;
    }
    default:
      return failures;
  }
}

/** Milliseconds until the next executor starts. undefined: there were too many failures. */
function delayOf(strategy: RestartStrategy, { length }: readonly Failure[], now: number): number | undefined {
  switch (strategy.kind) {
    case 'none':
      return undefined;
    case 'fixed-delay':
      return length > strategy.attempts ? undefined : strategy.delayMillis;
    case 'failure-rate':
      return length > strategy.failures ? undefined : strategy.delayMillis;
    case 'exponential-delay': {
      const { initialMillis, maxMillis, multiplier, jitter } = strategy;
      const delay = Math.min(maxMillis, initialMillis * multiplier ** (length - 1));
      return Math.round(delay * (1 + jitter * (2 * spread(now) - 1)));
    }
  }
}
/**
 * 0 to 1, evenly. The session is a pure function, so the time takes the place of a random number.
 */
function spread(now: number): number {
  return ((Math.trunc(now) * 9301 + 49297) % 233280) / 233280;
}

/** The next executor starts now. */
export function restarted(session: Session, now: number): Session {
  const { startsAt: _over, ...restarts } = session.restarts;
  return { ...session, restarts: marked(restarts, now) };
}

/** An executor goes on from a checkpoint now. */
export function marked(restarts: Restarts, now: number): Restarts {
  return { ...restarts, count: restarts.count + 1, at: [...restarts.at, now].slice(-keptMarks) };
}

/**
 * The failure of a cell that is not restarted again. Its own message comes first, then that of the
 * first failure of the outage, which may be the cause of the others.
 */
export function withCause(session: Session, error: LocatedError): LocatedError {
  const { failures } = session.restarts;
  if (strategyOf(session, error.code).kind === 'none') return error;
  if (isPermanent(error.code)) {
    return { ...error, message: `${error.message} It is not restarted, because it would fail in the same way again.` };
  }
  const last = failures.at(-1);
  if (!last) return error;
  return { ...error, message: `${error.message} ${history(session.restarts, last, error)}` };
}
function history({ failures, outage }: Restarts, last: Failure, error: LocatedError): string {
  const times = `${failures.length} restart${failures.length === 1 ? '' : 's'}`;
  const former = outage?.first ?? last;
  if (former.error.message === error.message) return `It failed again after ${times}.`;
  if (!outage) return `It is not restarted again: there ${failures.length === 1 ? 'was' : 'were'} ${times} before.`;
  return `The first of ${outage.failures + 1} failures was in "${former.cell}": ${former.error.message}`;
}
