// Registers the commands of the extension under their ids.
import * as vscode from 'vscode';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { arm } from './arm.ts';
import { LivePages } from './live-page.ts';
import { newNotebook } from './new-notebook.ts';
import { openSample } from './open-sample.ts';
import { renameCell } from './rename-cell.ts';
import { restart, restartAndRunAll, shutDown } from './restart.ts';
import type { ResumeOffers } from '../session/resume-offers.ts';
import { setUpFolder } from './set-up-folder.ts';
import { startFromSavepoint } from './start-from-savepoint.ts';
import { takeSavepoint } from './take-savepoint.ts';
import { targetCell, targetNotebook } from './target.ts';

/** `extension` is the folder of the extension. */
export function registerCommands(
  extension: vscode.Uri,
  liveAt: (notebook: vscode.NotebookDocument) => LiveNotebook | undefined,
  offers: ResumeOffers,
): vscode.Disposable {
  const liveOf = (argument: unknown): LiveNotebook | undefined => {
    const notebook = targetNotebook(argument);
    return notebook === undefined ? undefined : liveAt(notebook);
  };
  const armCell = (argument: unknown, armed: boolean): Promise<void> | undefined => {
    const cell = targetCell(argument);
    const live = cell === undefined ? undefined : liveAt(cell.notebook);
    return cell === undefined || live === undefined ? undefined : arm(cell, live, armed);
  };
  const choose = (argument: unknown, choice: 'resume' | 'fresh'): Promise<void> | undefined =>
    withLive(liveOf(argument), (live) => offers.choose(live, choice));
  const livePages = new LivePages(vscode.Uri.joinPath(extension, 'dist', 'cli.js').fsPath);
  return vscode.Disposable.from(
    livePages,
    command('openLivePage', (argument) => withLive(liveOf(argument), (live) => livePages.open(live))),
    command('openSample', () => openSample(extension)),
    command('newNotebook', newNotebook),
    command('setUpFolder', (argument) => setUpFolder(extension, argument)),
    command('interrupt', (argument) => liveOf(argument)?.interrupt()),
    command('interruptCell', (argument) => {
      const cell = targetCell(argument);
      return cell === undefined ? undefined : liveAt(cell.notebook)?.interrupt(cell);
    }),
    command('runAll', (argument) => liveOf(argument)?.runAll()),
    command('restart', (argument) => withLive(liveOf(argument), restart)),
    command('restartAndRunAll', (argument) => withLive(liveOf(argument), restartAndRunAll)),
    command('shutDown', (argument) => withLive(liveOf(argument), shutDown)),
    command('resume', (argument) => choose(argument, 'resume')),
    command('startFresh', (argument) => choose(argument, 'fresh')),
    command('takeSavepoint', (argument) => withLive(liveOf(argument), takeSavepoint)),
    command('startFromSavepoint', (argument) => withLive(liveOf(argument), startFromSavepoint)),
    command('arm', (argument) => armCell(argument, true)),
    command('disarm', (argument) => armCell(argument, false)),
    command('renameCell', renameCell),
  );
}

function withLive<R>(live: LiveNotebook | undefined, act: (live: LiveNotebook) => R): R | undefined {
  return live === undefined ? undefined : act(live);
}
function command(id: string, run: (argument: unknown) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(`sluice.${id}`, run);
}
