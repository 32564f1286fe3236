// The status bar below each cell: its id and its current state.
import * as vscode from 'vscode';
import { offerText } from '../../kernel/protocol/durability-text.ts';
import type { CellIdentity } from '../../kernel/protocol/cell-identity.ts';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from './live-notebook.ts';
import { openSettingCommand } from './open-setting.ts';
import { statusTexts } from './phase-text.ts';
import { labelText } from './plain-label.ts';
import { type Offer, timeText } from './durability-status.ts';

/** `known`: the identities of the notebook, for a caller that asks for all its cells. */
export function cellStatusItems(
  cell: vscode.NotebookCell,
  live: LiveNotebook | undefined,
  offer?: Offer,
  known: ReadonlyMap<vscode.NotebookCell, CellIdentity> = identities(cell.notebook),
): vscode.NotebookCellStatusBarItem[] {
  if (cell.kind !== vscode.NotebookCellKind.Code) return [];
  const identity = known.get(cell);
  if (identity === undefined) return [];
  const items = [idItem(cell, identity.id, identity.problem)];
  if (identity.problem !== undefined) return items;
  if (offer !== undefined && cell === firstCode(cell.notebook)) items.push(resumeItem(cell, offer));
  const state = live?.stateOf(identity.id);
  if (state === undefined) {
    if (live !== undefined) items.push(...withoutSession(cell, live));
    return items;
  }
  if (state.phase === 'not-run' && cell.outputs.length > 0) {
    items.push(left('$(history) old output', 'The output is from a session that has ended.', 110), runAllItem(cell));
  }
  for (const [i, { text, tooltip, action, setting }] of statusTexts(
    state,
    undefined,
    live?.session,
    Date.now(),
  ).entries()) {
    const item = left(text, tooltip, 100 - i);
    if (action !== undefined) item.command = { command: `sluice.${action}`, title: '', arguments: [cell] };
    if (setting !== undefined) item.command = openSettingCommand(setting);
    items.push(item);
  }
  return items;
}

/** The offer concerns the notebook as a whole, so one cell shows it. */
function firstCode(notebook: vscode.NotebookDocument): vscode.NotebookCell | undefined {
  return notebook.getCells().find(({ kind }) => kind === vscode.NotebookCellKind.Code);
}
function resumeItem(cell: vscode.NotebookCell, offer: Offer): vscode.NotebookCellStatusBarItem {
  const item = left(`$(history) resume from ${timeText(offer.takenAt)}`, offerText(offer, timeText), 50);
  item.command = { command: 'sluice.resume', title: '', arguments: [cell] };
  return item;
}

function withoutSession(cell: vscode.NotebookCell, live: LiveNotebook): vscode.NotebookCellStatusBarItem[] {
  if (live.isConnecting && live.isRunning(cell))
    return [left('$(loading) starting kernel', 'The session of this notebook is being started.', 100)];
  if (live.endedBecause === undefined || cell.outputs.length === 0)
    return [left('$(circle-large-outline) not run', 'This cell has not run. There is no session yet.', 100)];
  const ended = `${live.endedBecause} The output shows the last state.`;
  return [left('$(debug-disconnect) session ended', ended, 110), runAllItem(cell)];
}

function runAllItem(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem {
  const item = left('$(run-all) Run All', 'Runs all cells of the notebook in a new session.', 105);
  item.command = { command: 'sluice.runAll', title: '', arguments: [cell] };
  return item;
}

function idItem(
  cell: vscode.NotebookCell,
  id: string,
  problem: 'duplicate' | 'invalid' | undefined,
): vscode.NotebookCellStatusBarItem {
  const text = problem === undefined ? id : `$(warning) ${labelText(id)}`;
  const item = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Right);
  item.tooltip =
    problem === 'duplicate'
      ? `A cell above has the id "${id}" too. This cell does not run until it has another id. Click to rename it.`
      : problem === 'invalid'
        ? `"${id}" is not a cell id. The cell does not run until it has another id. Click to rename it.`
        : `Cell id "${id}". The cell's state belongs to this id. Click to rename it.`;
  item.command = { command: 'sluice.renameCell', title: '', arguments: [cell] };
  item.priority = 10;
  return item;
}

function left(text: string, tooltip: string, priority: number): vscode.NotebookCellStatusBarItem {
  const item = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Left);
  item.tooltip = tooltip;
  item.priority = priority;
  return item;
}
