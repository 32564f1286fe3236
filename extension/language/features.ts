// Completions, hovers, signatures, definitions and diagnostics in cells. A language server provides
// them and sees the notebook as one module.
import * as vscode from 'vscode';
import type { ExportPreview, ExportTarget, NotebookDiagnostics } from '../../kernel/protocol/language.ts';
import { cellLanguage, notebookType } from '../notebook/cell-metadata.ts';
import { completionProvider, type MoreCompletions } from './completions.ts';
import { LanguageProcess } from './language-process.ts';
import { OpenNotebooks } from './open-notebooks.ts';
import { positionAfter, type PositionOf } from './position-of.ts';
import { diagnostic, hover, location, signatureHelp } from './to-editor.ts';

export interface LanguageFeatures extends vscode.Disposable {
  /** What a job would have of the notebook. undefined: there is no answer. */
  preview(notebook: vscode.NotebookDocument, target: 'node' | 'flink'): Promise<ExportPreview | undefined>;
}

/**
 * Starts nothing in an untrusted folder until the user trusts it. `shown` is called when the
 * diagnostics in the collection have changed. `more`: completions that the server does not know.
 */
export function registerLanguageFeatures(
  serverFile: string,
  collection: vscode.DiagnosticCollection,
  shown: () => void,
  more: MoreCompletions,
): LanguageFeatures {
  const open = new OpenNotebooks();
  const server: LanguageProcess = new LanguageProcess(serverFile, {
    started: () => {
      tellTarget();
      open.forgetAll().forEach(tell);
    },
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
  function tellTarget(): void {
    const target = vscode.workspace.getConfiguration('sluice').get<ExportTarget>('exportTarget', 'none');
    server.notify('target', { target });
  }
  const declarations = vscode.workspace.createFileSystemWatcher('**/.sluice/*.d.ts');
  const declarationsChanged = (): void => server.notify('declarations', {});
  const registered = vscode.Disposable.from(
    server,
    declarations,
    declarations.onDidCreate(declarationsChanged),
    declarations.onDidChange(declarationsChanged),
    declarations.onDidDelete(declarationsChanged),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('sluice.exportTarget')) tellTarget();
    }),
    vscode.workspace.onDidOpenNotebookDocument(tell),
    vscode.workspace.onDidChangeNotebookDocument(({ notebook }) => tell(notebook)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => vscode.workspace.notebookDocuments.forEach(tell)),
    vscode.workspace.onDidCloseNotebookDocument((notebook) => {
      if (notebook.notebookType !== notebookType) return;
      open.forget(notebook);
      server.notify('close', { notebook: notebook.uri.fsPath });
      for (const cell of notebook.getCells()) collection.delete(cell.document.uri);
    }),
    ...registerProviders(server, positionAfter(tell), more),
  );
  vscode.workspace.notebookDocuments.forEach(tell);
  return {
    dispose: () => void registered.dispose(),
    async preview(notebook, target) {
      tell(notebook);
      const never = new vscode.CancellationTokenSource().token;
      return (await server.request('preview', { notebook: notebook.uri.fsPath, target }, never)) ?? undefined;
    },
  };
}

function registerProviders(
  server: LanguageProcess,
  positionOf: PositionOf,
  more: MoreCompletions,
): vscode.Disposable[] {
  const selector: vscode.DocumentSelector = { language: cellLanguage, notebookType };
  return [
    vscode.languages.registerCompletionItemProvider(
      selector,
      completionProvider(server, positionOf, more),
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
