// Registers the commands of the extension under their ids.
import * as vscode from 'vscode';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { arm } from './arm.ts';
import { LivePages } from './live-page.ts';
import { newNotebook } from './new-notebook.ts';
import { openSample } from './open-sample.ts';
import { renameCell } from './rename-cell.ts';
import { setUpFolder } from './set-up-folder.ts';
import { targetCell, targetNotebook } from './target.ts';

/** `extension` is the folder of the extension. */
export function registerCommands(
  extension: vscode.Uri,
  liveAt: (notebook: vscode.NotebookDocument) => LiveNotebook | undefined,
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
  const livePages = new LivePages(vscode.Uri.joinPath(extension, 'dist', 'cli.js').fsPath);
  return vscode.Disposable.from(
    livePages,
    command('openLivePage', (argument) => {
      const live = liveOf(argument);
      return live === undefined ? undefined : livePages.open(live);
    }),
    command('openSample', () => openSample(extension)),
    command('newNotebook', newNotebook),
    command('setUpFolder', (argument) => setUpFolder(extension, argument)),
    command('interrupt', (argument) => liveOf(argument)?.interrupt()),
    command('interruptCell', (argument) => {
      const cell = targetCell(argument);
      return cell === undefined ? undefined : liveAt(cell.notebook)?.interrupt(cell);
    }),
    command('restart', (argument) => liveOf(argument)?.restart()),
    command('arm', (argument) => armCell(argument, true)),
    command('disarm', (argument) => armCell(argument, false)),
    command('renameCell', renameCell),
  );
}

function command(id: string, run: (argument: unknown) => unknown): vscode.Disposable {
  return vscode.commands.registerCommand(`sluice.${id}`, run);
}
