// The state of the open notebooks at the language server. Each text is sent after a change and
// before any request.
import type * as vscode from 'vscode';
import type { LanguageCell, NotebookUpdate } from '../../kernel/protocol/language.ts';
import { identities, kindOf } from '../notebook/cell-ids.ts';

interface Known {
  readonly path: string;
  version: number;
  /** The sent id and kind of each cell, as one string. */
  sent: ReadonlyMap<string, string>;
  /** Version of each document whose text the server has. */
  texts: ReadonlyMap<string, number>;
}

const keyOf = (cell: vscode.NotebookCell): string => cell.document.uri.toString();

export class OpenNotebooks {
  readonly #known = new Map<vscode.NotebookDocument, Known>();

  /**
   * The message that brings the server up to date with the notebook; undefined if it is up to date.
   */
  news(
    notebook: vscode.NotebookDocument,
  ): { readonly method: 'open' | 'update'; readonly update: NotebookUpdate } | undefined {
    const known = this.#known.get(notebook);
    const cells: LanguageCell[] = [];
    const sent = new Map<string, string>();
    const texts = new Map<string, number>();
    let isNew = known === undefined || known.sent.size !== notebook.cellCount;
    for (const [cell, { id }] of identities(notebook)) {
      const key = keyOf(cell);
      const kind = kindOf(cell);
      const { version } = cell.document;
      const hasText = known?.texts.get(key) === version;
      const line = `${id} ${kind}`;
      isNew ||= !hasText || known.sent.get(key) !== line;
      sent.set(key, line);
      texts.set(key, version);
      cells.push({ key, id, kind, ...(hasText ? {} : { text: cell.document.getText() }) });
    }
    // The same cells in another order are another module.
    const order = [...(known?.sent.keys() ?? [])];
    isNew ||= [...sent.keys()].some((key, i) => key !== order[i]);
    if (!isNew) return undefined;
    const version = (known?.version ?? 0) + 1;
    const path = known?.path ?? notebook.uri.fsPath;
    this.#known.set(notebook, { path, version, sent, texts });
    return { method: known === undefined ? 'open' : 'update', update: { notebook: path, version, cells } };
  }

  versionOf(path: string): number | undefined {
    for (const known of this.#known.values()) if (known.path === path) return known.version;
    return undefined;
  }

  forget(notebook: vscode.NotebookDocument): void {
    this.#known.delete(notebook);
  }

  /** Resets everything for a new server, and returns the notebooks to send again. */
  forgetAll(): vscode.NotebookDocument[] {
    const notebooks = [...this.#known.keys()];
    this.#known.clear();
    return notebooks;
  }
}
