// Completions, hovers, signatures, definitions and diagnostics in cells. A language server provides
// them and sees the notebook as one module.
import * as vscode from 'vscode';
import type { NotebookDiagnostics } from '../../kernel/protocol/language.ts';
import { cellLanguage, notebookType } from '../notebook/cell-metadata.ts';
import { completionProvider } from './completions.ts';
import { LanguageProcess } from './language-process.ts';
import { OpenNotebooks } from './open-notebooks.ts';
import { positionAfter, type PositionOf } from './position-of.ts';
import { diagnostic, hover, location, signatureHelp } from './to-editor.ts';

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
  const registered = vscode.Disposable.from(
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
    ...registerProviders(server, positionAfter(tell)),
  );
  vscode.workspace.notebookDocuments.forEach(tell);
  return registered;
}

function registerProviders(server: LanguageProcess, positionOf: PositionOf): vscode.Disposable[] {
  const selector: vscode.DocumentSelector = { language: cellLanguage, notebookType };
  return [
    vscode.languages.registerCompletionItemProvider(
      selector,
      completionProvider(server, positionOf),
      ...['.', '"', "'", '`', '/', '@'],
    ),
    vscode.languages.registerHoverProvider(selector, {
      async provideHover(document, position, token) {
        const at = positionOf(document, position);
        const found = at && (await server.request('hover', at, token));
        return found ? hover(found) : undefined;
      },
    }),
    vscode.languages.registerSignatureHelpProvider(
      selector,
      {
        async provideSignatureHelp(document, position, token) {
          const at = positionOf(document, position);
          const found = at && (await server.request('signature', at, token));
          return found ? signatureHelp(found) : undefined;
        },
      },
      { triggerCharacters: ['(', ',', '<'], retriggerCharacters: [')'] },
    ),
    vscode.languages.registerDefinitionProvider(selector, {
      async provideDefinition(document, position, token) {
        const at = positionOf(document, position);
        const found = at && (await server.request('definition', at, token));
        return found?.map(location);
      },
    }),
  ];
}

/** Positions refer to a version of the text, so diagnostics of an older version are ignored. */
function show(found: NotebookDiagnostics, open: OpenNotebooks, collection: vscode.DiagnosticCollection): void {
  if (open.versionOf(found.notebook) !== found.version) return;
  for (const { cell, diagnostics } of found.cells) collection.set(vscode.Uri.parse(cell), diagnostics.map(diagnostic));
}
