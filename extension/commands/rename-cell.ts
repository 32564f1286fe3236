// "Rename Cell Id": gives a cell another id, with an edit that can be undone.
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
    prompt:
      'State, charts and references from other cells belong to the id. With a new id the cell starts without them.',
    validateInput: (text) =>
      !isCellId(text)
        ? 'An id consists of letters, digits, _ and -, and begins with a letter or _.'
        : taken.has(text)
          ? `Another cell has the id "${text}".`
          : undefined,
  });
  if (id === undefined || (id === current.id && current.problem === undefined)) return;
  await setCellId(cell, id);
}
