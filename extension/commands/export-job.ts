// "Export as Job…": asks for the target, shows what goes and what stays, asks for a folder, and
// lets `sluice export` write the job there. So its bytes are those of the command.
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LanguageFeatures } from '../language/features.ts';
import { spawnNode } from '../session/own-node.ts';
import { notificationText } from '../session/plain-label.ts';
import { exportPage, type FromExportPage } from './export-page.ts';
import { targetNotebook } from './target.ts';

type Target = 'node' | 'flink';
const openReadme = 'Open Its README';
/** The page follows the notebook when nobody has typed for this long. */
const restMillis = 500;

/** `extension` is the folder of the extension. */
export function registerExport(extension: vscode.Uri, language: LanguageFeatures): vscode.Disposable {
  const cli = vscode.Uri.joinPath(extension, 'dist', 'cli.js').fsPath;
  const panels = new Map<string, ExportPanel>();
  const command = vscode.commands.registerCommand('sluice.exportJob', async (argument: unknown) => {
    const notebook = targetNotebook(argument);
    const target = notebook && (await chosenTarget());
    if (!notebook || !target) return;
    const key = `${target} ${notebook.uri.toString()}`;
    const known = panels.get(key);
    if (known) return known.reveal();
    panels.set(key, new ExportPanel({ notebook, target, cli, language, closed: () => panels.delete(key) }));
  });
  return vscode.Disposable.from(command, { dispose: () => [...panels.values()].forEach((panel) => panel.dispose()) });
}

async function chosenTarget(): Promise<Target | undefined> {
  const items = [
    { label: 'Node', description: 'a folder that npm start, Docker or Kubernetes runs', target: 'node' as const },
    { label: 'Flink', description: 'what goes and what stays; the export comes later', target: 'flink' as const },
  ];
  return (await vscode.window.showQuickPick(items, { title: 'Export as Job', placeHolder: 'What runs the job' }))
    ?.target;
}

interface ExportPanelOptions {
  readonly notebook: vscode.NotebookDocument;
  readonly target: Target;
  readonly cli: string;
  readonly language: LanguageFeatures;
  readonly closed: () => void;
}

class ExportPanel {
  readonly #options: ExportPanelOptions;
  readonly #panel: vscode.WebviewPanel;
  readonly #listening: vscode.Disposable;
  #timer: NodeJS.Timeout | undefined;
  #shown = '';

  constructor(options: ExportPanelOptions) {
    const { notebook } = options;
    this.#options = options;
    this.#panel = vscode.window.createWebviewPanel(
      'sluice.export',
      `${this.#name} (job)`,
      { viewColumn: vscode.ViewColumn.Beside },
      { enableScripts: true, localResourceRoots: [] },
    );
    this.#panel.webview.onDidReceiveMessage((message: FromExportPage) => void this.#receive(message));
    this.#listening = vscode.Disposable.from(
      vscode.workspace.onDidChangeNotebookDocument((change) => {
        if (change.notebook === notebook) this.#showAfter(restMillis);
      }),
      vscode.workspace.onDidCloseNotebookDocument((closed) => {
        if (closed === notebook) this.dispose();
      }),
    );
    this.#panel.onDidDispose(() => {
      clearTimeout(this.#timer);
      this.#listening.dispose();
      options.closed();
    });
    this.#draw(undefined);
    void this.#show();
  }
  reveal(): void {
    this.#panel.reveal();
    this.#showAfter(0);
  }
  dispose(): void {
    this.#panel.dispose();
  }

  get #name(): string {
    return this.#options.notebook.uri.path.split('/').at(-1)!;
  }
  #showAfter(millis: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#show(), millis);
  }
  async #show(): Promise<void> {
    const { language, notebook, target } = this.#options;
    const preview = await language.preview(notebook, target);
    if (preview) this.#draw(preview);
  }
  #draw(preview: Awaited<ReturnType<LanguageFeatures['preview']>>): void {
    const page = { notebook: this.#name, target: this.#options.target, preview };
    // Drawing anew moves the page to its top.
    const text = JSON.stringify(page);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#panel.webview.html = exportPage(page, randomBytes(16).toString('base64url'));
  }

  async #receive(message: FromExportPage): Promise<void> {
    if (message.kind === 'go') return this.#go(message.cell, message.line);
    try {
      await this.#export();
    } catch (error) {
      void vscode.window.showErrorMessage(notificationText(`The job was not written: ${(error as Error).message}`));
    }
  }

  async #go(id: string, line: number): Promise<void> {
    const { notebook } = this.#options;
    const cell = [...identities(notebook)].find(([, identity]) => identity.id === id)?.[0];
    if (!cell) return;
    const range = new vscode.NotebookRange(cell.index, cell.index + 1);
    const editor = await vscode.window.showNotebookDocument(notebook, {
      viewColumn: vscode.ViewColumn.One,
      selections: [range],
    });
    editor.revealRange(range, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
    const at = new vscode.Position(line - 1, 0);
    await vscode.window.showTextDocument(cell.document, {
      viewColumn: vscode.ViewColumn.One,
      selection: new vscode.Range(at, at),
    });
  }

  async #export(): Promise<void> {
    const { notebook, target, cli } = this.#options;
    const chosen = await vscode.window.showSaveDialog({
      title: 'A New Folder for the Job',
      saveLabel: 'Export',
      defaultUri: vscode.Uri.joinPath(notebook.uri, '..', `${this.#name.replace(/\.sluice\.ts$/, '')}-job`),
    });
    if (chosen === undefined) return;
    // The command reads the file.
    if (notebook.isDirty && !(await notebook.save())) throw new Error('the notebook could not be saved.');
    const options = { location: vscode.ProgressLocation.Notification, title: 'Exporting the job', cancellable: true };
    const ended = await vscode.window.withProgress(options, (_, token) =>
      runCommand(cli, ['export', notebook.uri.fsPath, '--target', target, '--out', chosen.fsPath], token),
    );
    if (ended.isCancelled) return;
    if (ended.code !== 0) throw new Error(ended.output.trim());
    const readme = vscode.Uri.joinPath(chosen, 'README.md');
    const answer = await vscode.window.showInformationMessage(
      notificationText(`The job is in ${chosen.fsPath}. npm ci && npm start runs it.`),
      openReadme,
    );
    if (answer === openReadme) await vscode.window.showTextDocument(readme);
  }
}

interface CommandEnd {
  readonly code: number | null;
  readonly output: string;
  readonly isCancelled: boolean;
}
function runCommand(cli: string, parameters: readonly string[], token: vscode.CancellationToken): Promise<CommandEnd> {
  const child = spawnNode(cli, parameters, ['ignore', 'pipe', 'pipe']);
  const cancelled = token.onCancellationRequested(() => child.kill());
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4000)));
  return new Promise<CommandEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, isCancelled: token.isCancellationRequested }));
  }).finally(() => void cancelled.dispose());
}
