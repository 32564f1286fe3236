// The checkpoint that a notebook's last session has left: it is offered when the notebook opens,
// when its kernel has died, and before the first run. Nothing starts until the user has chosen.
//
//   no offer ─opened, or the kernel ended; there is a checkpoint─► offered
//      ▲                                                              │ (notification, status bar)
//      │                                                              │ run: asks once
//      └──────────── Resume, Start Fresh (here or in another client) ─┘
//
// A kernel that ended in a call of user code is started again without a question: `goOn`.
import * as vscode from 'vscode';
import type { Connection } from '../../kernel/client/connect.ts';
import { ProcessEnds } from '../../kernel/client/process-ends.ts';
import { readSummary } from '../../kernel/client/state-summary.ts';
import { lostText, offerText } from '../../kernel/protocol/durability-text.ts';
import { checkpointVariables } from './checkpoint-variables.ts';
import { type Offer, timeText } from './durability-status.ts';
import type { Ended, LiveNotebook } from './live-notebook.ts';
import { notificationText } from './plain-label.ts';
import { whileItHolds } from './while-it-holds.ts';

type Choice = 'resume' | 'fresh';

const resume = 'Resume';
const startFresh = 'Start Fresh';

export class ResumeOffers {
  /** What the notebooks without a session have on disk. */
  readonly #summaries = new WeakMap<LiveNotebook, Offer>();
  /** The time of the checkpoint that a notification has offered. */
  readonly #announced = new WeakMap<LiveNotebook, number>();
  readonly #ends = new WeakMap<LiveNotebook, ProcessEnds>();
  readonly #questions = new Map<LiveNotebook, Promise<boolean>>();

  of(live: LiveNotebook): Offer | undefined {
    return live.session?.offered ?? (live.connection === undefined ? this.#summaries.get(live) : undefined);
  }

  /** The notebook was opened, or its session has changed. */
  changed(live: LiveNotebook): void {
    if (live.isConnecting || live.isRestarting || live.notebook.isClosed || !vscode.workspace.isTrusted) return;
    if (live.connection === undefined) this.#look(live);
    const offer = this.of(live);
    if (offer === undefined || this.#announced.get(live) === offer.takenAt) return;
    this.#announced.set(live, offer.takenAt);
    void this.#announce(live, offer);
  }

  /**
   * The kernel has ended in a call of user code. True: the session goes on at once from its
   * checkpoint, and the user is told. False: the user has to choose.
   */
  async goOn(live: LiveNotebook, { reason, lastCall }: Ended): Promise<boolean> {
    this.#look(live);
    const offer = this.of(live);
    const ends = this.#ends.get(live) ?? new ProcessEnds();
    this.#ends.set(live, ends);
    if (!lastCall || !offer || live.notebook.isClosed || !ends.goesOn(lastCall, Date.now())) return false;
    this.#announced.set(live, offer.takenAt);
    if (!(await live.goOn(lastCall))) return false;
    const text = `${reason} The session goes on from its checkpoint of ${timeText(offer.takenAt)}.`;
    void vscode.window.showWarningMessage(notificationText(text));
    return true;
  }

  /** Starts the kernel if none runs. No cell runs. */
  async choose(live: LiveNotebook, choice: Choice): Promise<void> {
    const isOffered = this.of(live) !== undefined;
    if (live.session !== undefined && !isOffered) {
      void vscode.window.showInformationMessage('This notebook has a session, so there is nothing to choose.');
      return;
    }
    // Without a kernel the outputs are those of the former session.
    if (choice === 'fresh' && live.connection === undefined) return void (await live.restart());
    if (await live.choose(choice)) return;
    const because = live.session?.warning ?? 'There is no checkpoint of it.';
    void vscode.window.showWarningMessage(notificationText(`This notebook cannot go on from a checkpoint. ${because}`));
  }

  #look(live: LiveNotebook): void {
    const settings = vscode.workspace.getConfiguration('sluice');
    const variables = checkpointVariables((name, byDefault) => settings.get(name, byDefault));
    const isOff = variables['SLUICE_CHECKPOINTS'] === 'off';
    const found = isOff ? undefined : readSummary(live.notebook.uri.fsPath, { ...process.env, ...variables });
    if (found) this.#summaries.set(live, found);
    else this.#summaries.delete(live);
  }

  async #announce(live: LiveNotebook, offer: Offer): Promise<void> {
    const died = live.endedBecause === undefined ? '' : `${live.endedBecause} `;
    const text = notificationText(`${died}${offerText(offer, timeText)}`);
    const isOffered = (): boolean => this.of(live)?.takenAt === offer.takenAt;
    const shown = vscode.window.showInformationMessage(text, resume, startFresh);
    const answer = await whileItHolds(live, isOffered, shown);
    if (answer === undefined) return;
    await this.choose(live, answer === resume ? 'resume' : 'fresh').catch(showError);
  }

  /** Before a run. False: the user has not chosen, so nothing runs. */
  settle(live: LiveNotebook, connection: Connection): Promise<boolean> {
    const offer = live.session?.offered;
    if (offer === undefined) return Promise.resolve(true);
    // Several cells may be run at once. One question is enough.
    const asked = this.#questions.get(live) ?? this.#ask(connection, offer);
    this.#questions.set(live, asked);
    return asked.finally(() => this.#questions.delete(live));
  }
  async #ask(connection: Connection, offer: Offer): Promise<boolean> {
    const answer = await vscode.window.showInformationMessage(
      notificationText(offerText({ ...offer, lost: [], skipped: [] }, timeText)),
      {
        modal: true,
        detail: [
          'Resume goes on with the state of all cells. Start Fresh removes the checkpoint. Then the cell runs.',
          lostText(offer.lost),
          ...(offer.skipped ?? []),
        ]
          .filter((text) => text !== '')
          .join('\n'),
      },
      resume,
      startFresh,
    );
    if (answer === undefined) return false;
    await connection.request('choose', { choice: answer === resume ? 'resume' : 'fresh' });
    return true;
  }
}

function showError(error: unknown): void {
  void vscode.window.showErrorMessage(notificationText(error instanceof Error ? error.message : String(error)));
}
