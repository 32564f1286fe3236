// The latest schema of a subject as a document that cannot be edited.
import * as vscode from 'vscode';
import type { BrowseProcess } from './browse-process.ts';

const scheme = 'sluice-schema';

export class SchemaDocuments implements vscode.TextDocumentContentProvider {
  readonly #browse: BrowseProcess;

  constructor(browse: BrowseProcess) {
    this.#browse = browse;
  }
  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  }

  async open(connection: string, subject: string): Promise<void> {
    const { type, version } = await this.#browse.ask('schema', { connection, subject });
    const ending = type === 'Protobuf' ? 'proto' : 'json';
    const path = `/${subject.replaceAll('/', '_')} v${version}.${ending}`;
    const uri = vscode.Uri.from({ scheme, path, query: JSON.stringify([connection, subject]) });
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  async provideTextDocumentContent({ query }: vscode.Uri): Promise<string> {
    const [connection, subject] = JSON.parse(query) as [string, string];
    const { text } = await this.#browse.ask('schema', { connection, subject });
    try {
      return `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`;
    } catch {
      return text;
    }
  }
}
