// Ids of the cells of open notebooks. A new cell gets one at once, cut and paste keeps it, and a
// copy gets a new one.
//
// Only edits by the user are handled. A file that changed on disk is taken as it is (the notebook
// is not dirty then). Its duplicate ids stay until the user renames one.
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { identify, type CellIdentity } from '../../kernel/protocol/cell-identity.ts';
import { notebookType, type EditorMetadata } from './cell-metadata.ts';
import { CutCells } from './cut-cells.ts';
import { applyIds, type IdEdits } from './given-ids.ts';
import { newCellId } from './new-cell-id.ts';

const metadataOf = (cell: vscode.NotebookCell): EditorMetadata => cell.metadata;

export const kindOf = (cell: vscode.NotebookCell): 'code' | 'markdown' | 'test' =>
  cell.kind === vscode.NotebookCellKind.Markup ? 'markdown' : metadataOf(cell).kind === 'test' ? 'test' : 'code';

// A derived id stays with its cell while the notebook is open, even if cells before it move.
const derivedIds = new WeakMap<vscode.NotebookCell, string>();

/** One identity per cell, in document order. */
export function identities(notebook: vscode.NotebookDocument): Map<vscode.NotebookCell, CellIdentity> {
  const cells = notebook.getCells();
  const known = identify(
    cells.map((cell) => ({ kind: kindOf(cell), id: metadataOf(cell).id ?? derivedIds.get(cell) })),
  );
  return new Map(
    cells.map((cell, i) => {
      const identity = known[i]!;
      if (metadataOf(cell).id === undefined) derivedIds.set(cell, identity.id);
      return [cell, identity];
    }),
  );
}

export function cellById(notebook: vscode.NotebookDocument, id: string): vscode.NotebookCell | undefined {
  for (const [cell, identity] of identities(notebook))
    if (identity.id === id && identity.problem === undefined) return cell;
  return undefined;
}

export function registerCellIds(): vscode.Disposable {
  const cutCells = new WeakMap<vscode.NotebookDocument, CutCells>();
  return vscode.workspace.onDidChangeNotebookDocument(({ notebook, contentChanges }) => {
    if (notebook.notebookType !== notebookType || contentChanges.length === 0) return;
    const cut = cutCells.get(notebook) ?? new CutCells();
    cutCells.set(notebook, cut);
    const added = new Set(contentChanges.flatMap((change) => change.addedCells));
    for (const cell of contentChanges.flatMap((change) => change.removedCells))
      if (!added.has(cell)) cut.add({ text: cell.document.getText(), metadata: metadataOf(cell) });
    if (added.size > 0) void giveIds(notebook, added, cut);
  });
}

/**
 * VS Code reports the dirty state after the change itself. Reading a file again never makes a
 * notebook dirty.
 */
async function becomesDirty(notebook: vscode.NotebookDocument): Promise<boolean> {
  for (let waited = 0; waited < 250 && !notebook.isDirty; waited += 10) await sleep(10);
  return notebook.isDirty;
}

async function giveIds(
  notebook: vscode.NotebookDocument,
  added: ReadonlySet<vscode.NotebookCell>,
  cut: CutCells,
): Promise<void> {
  if (!(await becomesDirty(notebook))) return;
  await applyTo(notebook, (cells) => wantedMetadata(cells, added, cut));
}

/** Gives the cell another id, unless it is gone. */
export async function setCellId(cell: vscode.NotebookCell, id: string): Promise<void> {
  await applyTo(cell.notebook, (cells) =>
    cells.includes(cell) && metadataOf(cell).id !== id ? [[cell, { ...cell.metadata, id }]] : [],
  );
}

async function applyTo(
  notebook: vscode.NotebookDocument,
  wanted: IdEdits<vscode.NotebookCell>['wanted'],
): Promise<void> {
  await applyIds({
    cells: () => (notebook.isClosed ? [] : notebook.getCells()),
    wanted,
    apply: (changes) => {
      const edit = new vscode.WorkspaceEdit();
      edit.set(
        notebook.uri,
        [...changes].map(([cell, metadata]) => vscode.NotebookEdit.updateCellMetadata(cell.index, { ...metadata })),
      );
      return vscode.workspace.applyEdit(edit);
    },
  });
}

/** Added cells of code that need another id, with their metadata. */
function wantedMetadata(
  cells: readonly vscode.NotebookCell[],
  added: ReadonlySet<vscode.NotebookCell>,
  cut: CutCells,
): readonly (readonly [vscode.NotebookCell, EditorMetadata])[] {
  const taken = new Set(cells.flatMap((cell) => (added.has(cell) ? [] : [metadataOf(cell).id ?? ''])));
  return cells.flatMap((cell) => {
    if (!added.has(cell) || cell.kind !== vscode.NotebookCellKind.Code) return [];
    const text = cell.document.getText();
    const { id } = metadataOf(cell);
    // VS Code pastes the text of a cell, but not its metadata.
    const former = id === undefined ? cut.take(text, taken) : undefined;
    const wanted = former?.id ?? (id === undefined || taken.has(id) ? newCellId(text, taken, Math.random) : id);
    taken.add(wanted);
    return wanted === id ? [] : [[cell, { ...cell.metadata, ...former, id: wanted }] as const];
  });
}
