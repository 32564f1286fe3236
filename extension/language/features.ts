// Completions, hovers, signatures, definitions and diagnostics in cells. A language server provides
// them and sees the notebook as one module.
import * as vscode from 'vscode';
import type { CellPosition, CompletionData, NotebookDiagnostics } from '../../kernel/protocol/language.ts';
import { cellLanguage, notebookType } from '../notebook/cell-metadata.ts';
import { LanguageProcess } from './language-process.ts';
import { OpenNotebooks } from './open-notebooks.ts';
import { completionItem, diagnostic, hover, location, range, signatureHelp } from './to-editor.ts';

/**
 * Starts nothing in an untrusted folder until the user trusts it. `shown` is called when the
 * diagnostics in the collection have changed.
 */
export function registerLanguageFeatures(
  serverFile: string,
  collection: vscode.DiagnosticCollection,
  shown: () => void,
): vscode.Disposable {
  const open = new OpenNotebooks();
  const server: LanguageProcess = new LanguageProcess(serverFile, {
    started: () => open.forgetAll().forEach(tell),
    diagnostics: (found) => {
      show(found, open, collection);
      shown();
    },
  });
  function tell(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== notebookType || notebook.uri.scheme !== 'file' || !vscode.workspace.isTrusted) return;
    // A starting server resets the known notebooks, so the server must start first.
    if (server.connection() === undefined) return;
    const news = open.news(notebook);
    if (news !== undefined) server.notify(news.method, news.update);
  }
  const asked = (document: vscode.TextDocument, position: vscode.Position): CellPosition | undefined => {
    const notebook = vscode.workspace.notebookDocuments.find((other) =>
      other.getCells().some((cell) => cell.document === document),
    );
    if (notebook === undefined || !vscode.workspace.isTrusted) return undefined;
    tell(notebook);
    return {
      notebook: notebook.uri.fsPath,
      cell: document.uri.toString(),
      position: { line: position.line, character: position.character },
    };
  };

  const selector: vscode.DocumentSelector = { language: cellLanguage, notebookType };
  const disposables: vscode.Disposable[] = [
    server,
    vscode.workspace.onDidOpenNotebookDocument(tell),
    vscode.workspace.onDidChangeNotebookDocument(({ notebook }) => tell(notebook)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => vscode.workspace.notebookDocuments.forEach(tell)),
    vscode.workspace.onDidCloseNotebookDocument((notebook) => {
      if (notebook.notebookType !== notebookType) return;
      open.forget(notebook);
      server.notify('close', { notebook: notebook.uri.fsPath });
      for (const cell of notebook.getCells()) collection.delete(cell.document.uri);
    }),
    vscode.languages.registerCompletionItemProvider(
      selector,
      {
        async provideCompletionItems(document, position, token, { triggerCharacter }) {
          const at = asked(document, position);
          const found = at && (await server.request('completion', { ...at, trigger: triggerCharacter }, token));
          if (at === undefined || found === undefined) return undefined;
          return new vscode.CompletionList(
            found.items.map((completion) => remember(completionItem(completion), at, completion.data)),
            found.isIncomplete,
          );
        },
        async resolveCompletionItem(item, token) {
          const origin = origins.get(item);
          const details = origin && (await server.request('resolve', origin, token));
          if (origin === undefined || details === undefined || details === null) return item;
          item.detail = details.detail;
          item.documentation = new vscode.MarkdownString(details.documentation);
          item.additionalTextEdits = details.edits.map((edit) => new vscode.TextEdit(range(edit.range), edit.newText));
          return item;
        },
      },
      ...['.', '"', "'", '`', '/', '@'],
    ),
    vscode.languages.registerHoverProvider(selector, {
      async provideHover(document, position, token) {
        const at = asked(document, position);
        const found = at && (await server.request('hover', at, token));
        return found ? hover(found) : undefined;
      },
    }),
    vscode.languages.registerSignatureHelpProvider(
      selector,
      {
        async provideSignatureHelp(document, position, token) {
          const at = asked(document, position);
          const found = at && (await server.request('signature', at, token));
          return found ? signatureHelp(found) : undefined;
        },
      },
      { triggerCharacters: ['(', ',', '<'], retriggerCharacters: [')'] },
    ),
    vscode.languages.registerDefinitionProvider(selector, {
      async provideDefinition(document, position, token) {
        const at = asked(document, position);
        const found = at && (await server.request('definition', at, token));
        return found?.map(location);
      },
    }),
  ];
  vscode.workspace.notebookDocuments.forEach(tell);
  return vscode.Disposable.from(...disposables);
}

const origins = new WeakMap<vscode.CompletionItem, CellPosition & { readonly data: CompletionData }>();

function remember(item: vscode.CompletionItem, at: CellPosition, data: CompletionData): vscode.CompletionItem {
  origins.set(item, { ...at, data });
  return item;
}

/** Positions refer to a version of the text, so diagnostics of an older version are ignored. */
function show(found: NotebookDiagnostics, open: OpenNotebooks, collection: vscode.DiagnosticCollection): void {
  if (open.versionOf(found.notebook) !== found.version) return;
  for (const { cell, diagnostics } of found.cells) collection.set(vscode.Uri.parse(cell), diagnostics.map(diagnostic));
}
