// "Open Live Page": shows the notebook's session as a page in the browser.
// `sluice serve` serves it until the window closes or the session ends.
import type { ChildProcess } from 'node:child_process';
import * as vscode from 'vscode';
import type { LiveNotebook } from '../session/live-notebook.ts';
import { spawnNode } from '../session/own-node.ts';
import { notificationText } from '../session/plain-label.ts';

interface Page {
  readonly process: ChildProcess;
  /**
   * The address with its token. Rejected with the output of a server that ends before it prints
   * one.
   */
  readonly address: Promise<string>;
}

export class LivePages {
  readonly #cli: string;
  readonly #pages = new Map<string, Page>();

  constructor(cli: string) {
    this.#cli = cli;
  }

  async open(live: LiveNotebook): Promise<void> {
    try {
      // The window must own the session. A server that starts the session would end it with itself.
      await live.start();
      const path = live.notebook.uri.fsPath;
      const page = this.#pages.get(path) ?? this.#serve(path);
      await vscode.env.openExternal(vscode.Uri.parse(await page.address, true));
    } catch (error) {
      void vscode.window.showErrorMessage(
        notificationText(`The live page could not be opened: ${(error as Error).message}`),
      );
    }
  }

  dispose(): void {
    for (const { process } of this.#pages.values()) process.kill();
    this.#pages.clear();
  }

  #serve(path: string): Page {
    const child = spawnNode(this.#cli, ['serve', path], ['ignore', 'pipe', 'pipe']);
    const page: Page = { process: child, address: addressOf(child) };
    this.#pages.set(path, page);
    child.on('exit', () => {
      if (this.#pages.get(path) === page) this.#pages.delete(path);
    });
    return page;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        // The server continues to print the session. Only the beginning can contain the address.
        if (output.length > 10_000) return;
        output += text;
        const address = /http:\/\/127\.0\.0\.1:\S+/.exec(output)?.[0];
        if (address !== undefined) resolve(address);
      });
    child.on('error', reject);
    child.on('exit', () => reject(new Error(output.trim() || 'the server ended without a message')));
  });
}
