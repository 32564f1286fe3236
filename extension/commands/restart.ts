// "Restart", "Restart and Run All" and "Shut Down". The user is asked when the session would lose
// state.
import * as vscode from 'vscode';
import { basename } from 'node:path';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { notificationText } from '../session/plain-label.ts';

const runAll = 'Restart and Run All';
/** What becomes of the state. */
const lost = 'is lost.';
const kept = 'stays in its checkpoint: Resume goes on from there.';

export async function restart(live: LiveNotebook): Promise<void> {
  const answer = await asked(live, 'Restart', lost, 'Restart', runAll);
  if (answer === undefined) return;
  await live.restart();
  if (answer === runAll) await live.runAll();
}
export async function restartAndRunAll(live: LiveNotebook): Promise<void> {
  if ((await asked(live, 'Restart', lost, runAll)) === undefined) return;
  await live.restart();
  await live.runAll();
}
export async function shutDown(live: LiveNotebook): Promise<void> {
  const keeps = live.session?.checkpoints !== undefined;
  if ((await asked(live, 'Shut down', keeps ? kept : lost, 'Shut Down')) !== undefined) await live.shutDown();
}

/** The button that was pressed; the first one, without a question, if no state would be lost. */
async function asked(
  live: LiveNotebook,
  verb: string,
  what: string,
  ...buttons: string[]
): Promise<string | undefined> {
  const cells = live.states.filter(({ phase }) => phase !== 'not-run').length;
  if (cells === 0) return buttons[0];
  const name = basename(live.notebook.uri.fsPath);
  return await vscode.window.showWarningMessage(
    notificationText(`${verb} the session of ${name}?`),
    {
      modal: true,
      detail: `${cells === 1 ? '1 cell has run. What it keeps' : `${cells} cells have run. What they keep`} in windows, tables and variables ${what} The outputs stay, as old ones.`,
    },
    ...buttons,
  );
}
