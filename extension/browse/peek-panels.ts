// "Peek": a topic's records in a panel, without a cell. A panel that is hidden reads nothing.
import { randomBytes, randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { PeekNews } from '../../kernel/protocol/browse.ts';
import type { FromPeekPanel, PeekChoice, ToPeekPanel } from '../renderer/peek/peek-messages.ts';
import type { BrowseProcess } from './browse-process.ts';
import { openAsCell } from './open-as-cell.ts';

export class PeekPanels {
  readonly #extension: vscode.Uri;
  readonly #browse: BrowseProcess;
  readonly #panels = new Map<string, PeekPanel>();

  constructor(extension: vscode.Uri, browse: BrowseProcess) {
    this.#extension = extension;
    this.#browse = browse;
  }
  dispose(): void {
    for (const panel of [...this.#panels.values()]) panel.dispose();
  }

  /** One panel for a topic. */
  open(connection: string, topic: string, partitions: number): void {
    const key = JSON.stringify([connection, topic]);
    const known = this.#panels.get(key);
    if (known) return known.reveal();
    const panel = new PeekPanel(this.#extension, this.#browse, { connection, topic, partitions });
    this.#panels.set(key, panel);
    panel.onDidDispose(() => this.#panels.delete(key));
  }
}

interface Peeked {
  readonly connection: string;
  readonly topic: string;
  readonly partitions: number;
}

class PeekPanel {
  readonly #browse: BrowseProcess;
  readonly #peeked: Peeked;
  readonly #panel: vscode.WebviewPanel;
  #id: string | undefined;
  #choice: PeekChoice = { from: { kind: 'newest' }, filter: '' };
  #state: PeekNews['state'] = 'reading';
  /** It was reading when the panel was hidden, and reads on when the panel is shown. */
  #isHeld = false;

  constructor(extension: vscode.Uri, browse: BrowseProcess, peeked: Peeked) {
    this.#browse = browse;
    this.#peeked = peeked;
    const dist = vscode.Uri.joinPath(extension, 'dist');
    this.#panel = vscode.window.createWebviewPanel(
      'sluice.peek',
      `${peeked.topic} (peek)`,
      { viewColumn: vscode.ViewColumn.Active },
      { enableScripts: true, retainContextWhenHidden: true, localResourceRoots: [dist] },
    );
    const { webview } = this.#panel;
    const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, 'peek.js')).toString();
    webview.onDidReceiveMessage((message: FromPeekPanel) => void this.#receive(message));
    webview.html = page(script, webview.cspSource);
    this.#panel.onDidChangeViewState(() => void this.#shownOrHidden());
    this.#panel.onDidDispose(() => void this.#close());
  }
  reveal(): void {
    this.#panel.reveal();
  }
  dispose(): void {
    this.#panel.dispose();
  }
  onDidDispose(listener: () => void): void {
    this.#panel.onDidDispose(listener);
  }

  async #receive(message: FromPeekPanel): Promise<void> {
    switch (message.kind) {
      case 'ready':
        this.#send({ kind: 'about', ...this.#peeked });
        return await this.#open();
      case 'open':
        this.#choice = message;
        return await this.#open();
      case 'run':
        return await this.#run(message.run);
      case 'record':
        return await this.#record(message.n);
      case 'cell':
        return await openAsCell(this.#peeked.connection, this.#peeked.topic);
    }
  }

  async #open(): Promise<void> {
    await this.#close();
    const id = randomUUID();
    this.#id = id;
    this.#state = 'reading';
    this.#isHeld = false;
    this.#send({ kind: 'opening' });
    this.#browse.listen(id, {
      news: (news) => {
        this.#state = news.state;
        this.#send({ kind: 'news', news });
      },
      ended: () => this.#fail(id, 'The service that looks into Kafka has ended. Peek again.'),
    });
    const { connection, topic } = this.#peeked;
    const { from, filter } = this.#choice;
    await this.#browse
      .ask('openPeek', { peek: id, connection, topic, from, filter })
      .catch((error: unknown) => this.#fail(id, (error as Error).message));
  }
  #fail(id: string, reason: string): void {
    if (this.#id !== id) return;
    this.#id = undefined;
    void this.#browse.closePeek(id);
    this.#send({ kind: 'failed', reason });
  }
  async #shownOrHidden(): Promise<void> {
    const { visible } = this.#panel;
    if (visible === !this.#isHeld || (!visible && this.#state !== 'reading')) return;
    this.#isHeld = !visible;
    await this.#run(visible);
  }
  async #run(run: boolean): Promise<void> {
    if (this.#id === undefined) return;
    await this.#browse.ask('runPeek', { peek: this.#id, run }).catch(() => undefined);
  }
  async #record(n: number): Promise<void> {
    const record = this.#id === undefined ? null : await this.#browse.ask('peekedRecord', { peek: this.#id, n });
    this.#send({ kind: 'record', n, record });
  }
  async #close(): Promise<void> {
    const id = this.#id;
    this.#id = undefined;
    if (id !== undefined) await this.#browse.closePeek(id);
  }
  #send(message: ToPeekPanel): void {
    void this.#panel.webview.postMessage(message);
  }
}

function page(script: string, source: string): string {
  const nonce = randomBytes(16).toString('base64url');
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${source} 'unsafe-inline'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Peek</title>
</head>
<body>
<script nonce="${nonce}" type="module" src="${script}"></script>
</body>
</html>`;
}
