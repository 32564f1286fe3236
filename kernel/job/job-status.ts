// What an exported job answers to the questions of its platform: is it alive, is it ready, and its
// figures.
import type { Control } from '../server/control.ts';
import { hasEvaluatedAll } from '../session/mutations.ts';
import type { Session } from '../session/state.ts';
import { isConnecting } from '../session/plan-end.ts';
import type { JobReports } from './job-metrics.ts';
import { prometheusText } from './prometheus.ts';

export interface Answer {
  readonly isGood: boolean;
  /** A sentence. */
  readonly reason: string;
}

export class JobStatus {
  readonly #application: string;
  #watched: { readonly control: Control; readonly reports: JobReports } | undefined;
  #isEnding = false;

  constructor(application: string) {
    this.#application = application;
  }

  watch(control: Control, reports: JobReports): void {
    this.#watched = { control, reports };
  }
  /** The job is being stopped, or its sources have ended. */
  ending(): void {
    this.#isEnding = true;
  }

  /** False: only a new process helps. */
  health(): Answer {
    const session = this.#watched?.control.session;
    if (session?.executor === 'broken') return { isGood: false, reason: session.brokenBy ?? 'The job is broken.' };
    return { isGood: true, reason: 'The job is alive.' };
  }

  /** True: all cells have run, and every source has reached what it reads. */
  ready(): Answer {
    const session = this.#watched?.control.session;
    const reason = this.#isEnding ? 'The job is ending.' : session ? notReady(session) : 'The job is starting.';
    return { isGood: reason === undefined, reason: reason ?? 'The job is running.' };
  }

  metrics(): string {
    if (!this.#watched) return '';
    const { control, reports } = this.#watched;
    const uptimeMillis = performance.now();
    return prometheusText({
      application: this.#application,
      session: control.session,
      reports: reports.all,
      ...{ uptimeMillis, isEnding: this.#isEnding },
    });
  }
}

function notReady(session: Session): string | undefined {
  const { executor, restarts, metrics, plan } = session;
  if (restarts.startsAt !== undefined) return 'The job restarts from its last checkpoint.';
  if (executor !== 'ready') return `The thread of the cells is ${executor}.`;
  if (!hasEvaluatedAll(session) || plan.nodes.length === 0) return 'The cells are being evaluated.';
  if (!metrics || isConnecting(session)) return 'A source is connecting.';
  return undefined;
}
