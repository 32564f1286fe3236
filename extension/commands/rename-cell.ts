// "Rename Cell Id": another id for a cell, by an edit that undo takes back.
import * as vscode from 'vscode';
import { isCellId } from '../../kernel/protocol/cell-identity.ts';
import { identities, setCellId } from '../notebook/cell-ids.ts';
import { targetCell } from './target.ts';

export async function renameCell(argument: unknown): Promise<void> {
  const cell = targetCell(argument);
  if (cell?.kind !== vscode.NotebookCellKind.Code) return;
  const known = identities(cell.notebook);
  const current = known.get(cell)!;
  const taken = new Set([...known].flatMap(([other, { id }]) => (other === cell ? [] : [id])));
  const id = await vscode.window.showInputBox({
    title: 'Rename Cell Id',
    value: current.id,
    prompt: 'State, charts and the cells that use this one go by its id: under a new id the cell begins anew.',
    validateInput: (text) =>
      !isCellId(text)
        ? 'Letters, digits, _ and -; not a digit first.'
        : taken.has(text)
          ? `Another cell has the id "${text}".`
          : undefined,
  });
  if (id === undefined || (id === current.id && current.problem === undefined)) return;
  const edit = new vscode.WorkspaceEdit();
  edit.set(cell.notebook.uri, [setCellId(cell, id)]);
  await vscode.workspace.applyEdit(edit);
}
