// The status bar below each cell: its id, and what it does right now.
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from './live-notebook.ts';
import { statusTexts } from './phase-text.ts';

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
    ? left('$(debug-disconnect) session ended', `${live.endedBecause} What is drawn is the last picture.`, 100)
    : left('$(circle-large-outline) not run', 'This cell has not run; there is no session yet.', 100);
}

function idItem(
  cell: vscode.NotebookCell,
  id: string,
  problem: 'duplicate' | 'invalid' | undefined,
): vscode.NotebookCellStatusBarItem {
  const text = problem === undefined ? id : `$(warning) ${id}`;
  const item = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Right);
  item.tooltip =
    problem === 'duplicate'
      ? `Another cell above has the id "${id}" too. Click to rename this one; until then it does not run.`
      : problem === 'invalid'
        ? `"${id}" is no cell id. Click to rename it; until then the cell does not run.`
        : `Cell id "${id}". State is kept under it. Click to rename.`;
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
