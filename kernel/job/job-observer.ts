// What a job hears of its session: rows, console lines, warnings and failures.
import type { Session } from '../session/state.ts';
import type { Observer } from '../server/observer.ts';
import type { Failures } from './failures.ts';
import type { JobConsoles } from './job-consoles.ts';
import { isEndless, isSourceOrSink } from './job-end.ts';
import type { JobReports } from './job-metrics.ts';
import type { JobOutput } from './job-output.ts';
import { threadEnded } from './thread-end.ts';

/** Tells the output what the cells show, and the failures what fails. */
export function jobObserver(
  output: JobOutput,
  failures: Failures,
  consoles: JobConsoles,
  reports: JobReports,
  session: () => Session,
): Observer {
  return {
    rows: (frame, label) => output.rows?.(frame, label, failures),
    pulled: (event) => output.pulled?.(event, failures),
    console(event) {
      const lines = consoles.lines(event);
      if (lines.length > 0) output.console(event.cell, lines);
    },
    runEnded: (cell, { error }) => error && failures.add(cell, error),
    // A new thread would emit rows twice, so the job reports the error and ends.
    executorEnded(reason, whereabouts, memory) {
      // Which checkpoint it goes back to is another sentence.
      if (session().restarts.rewind) return;
      if (isRestarting(session())) return output.warning(restartText(session()));
      const { cell, error } = threadEnded(session(), reason, whereabouts, memory);
      failures.add(cell, error);
      failures.end();
    },
    uncaught: ({ cell, error }) => failures.uncaught(cell, error),
    graphFailed(error) {
      failures.add(error.cell, error);
      failures.end();
    },
    warned: (text) => output.warning(text),
    operatorFailed({ cell, error: thrown, name, record, instance }) {
      if (isRestarting(session())) return;
      const error = session().cells.get(cell)?.active?.failures.at(-1)?.error ?? thrown;
      // The first failure ends a job that would never end. `jobIsOver` ends it when each source has
      // connected or failed.
      if (failures.hasFailed && isEndless(session()) && !isSourceOrSink(session(), instance)) return;
      failures.add(cell, { code: error.code, message: `${name}: ${withRecord(error.message, record)}` });
    },
    rowRefused(event) {
      const { display, cell, error, record } = event;
      reports.refused(event, session().plan);
      failures.leftOut(display, cell, { code: error.code, message: withRecord(error.message, record) });
    },
    measured: (event) => reports.add(event),
  };
}

function isRestarting({ restarts }: Session): boolean {
  return restarts.startsAt !== undefined;
}
function restartText({ restarts }: Session): string {
  const { failures, startsAt = 0 } = restarts;
  const { cell = '', error } = failures.at(-1) ?? {};
  const seconds = Math.max(0, (startsAt - Date.now()) / 1000).toFixed(1);
  return `${cell === '' ? '' : `${cell}: `}${error?.message ?? 'The thread of the cells has ended.'} The job restarts in ${seconds} s from the last checkpoint (restart ${failures.length}).`;
}
function withRecord(message: string, record: string | undefined): string {
  return record === undefined ? message : `${message} Record: ${record}`;
}
