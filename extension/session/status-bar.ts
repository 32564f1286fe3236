// The status bar below each cell: its id and its current state.
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from './live-notebook.ts';
import { statusTexts } from './phase-text.ts';
import { labelText } from './plain-label.ts';

export function cellStatusItems(
  cell: vscode.NotebookCell,
  live: LiveNotebook | undefined,
): vscode.NotebookCellStatusBarItem[] {
  if (cell.kind !== vscode.NotebookCellKind.Code) return [];
  const identity = identities(cell.notebook).get(cell);
  if (identity === undefined) return [];
  const items = [idItem(cell, identity.id, identity.problem)];
  if (identity.problem !== undefined) return items;
  const state = live?.stateOf(identity.id);
  if (state === undefined) {
    if (live !== undefined) items.push(withoutSession(cell, live));
    return items;
  }
  for (const [i, { text, tooltip, action }] of statusTexts(state).entries()) {
    const item = left(text, tooltip, 100 - i);
    if (action !== undefined) item.command = { command: `sluice.${action}`, title: '', arguments: [cell] };
    items.push(item);
  }
  return items;
}

function withoutSession(cell: vscode.NotebookCell, live: LiveNotebook): vscode.NotebookCellStatusBarItem {
  if (live.isConnecting && live.isRunning(cell))
    return left('$(loading) starting kernel', 'The session of this notebook is being started.', 100);
  return live.endedBecause !== undefined && cell.outputs.length > 0
    ? left('$(debug-disconnect) session ended', `${live.endedBecause} The output shows the last state.`, 100)
    : left('$(circle-large-outline) not run', 'This cell has not run. There is no session yet.', 100);
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
