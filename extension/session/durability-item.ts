// One item of the window's status bar: the last checkpoint of the active notebook, and what is
// wrong with its checkpoints.
import * as vscode from 'vscode';
import type { SessionView } from '../../kernel/protocol/messages.ts';
import { durabilityText, type Offer } from './durability-status.ts';

interface Shown {
  readonly session: SessionView | undefined;
  readonly offer: Offer | undefined;
}

/** `shown` is what the active notebook has; undefined: no notebook of ours is active. */
export class DurabilityItem implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('sluice.checkpoint', vscode.StatusBarAlignment.Left, 0);
  readonly #shown: () => Shown | undefined;
  readonly #listener: vscode.Disposable;
  // The age of a checkpoint and the wait of a restart change by themselves.
  readonly #clock = setInterval(() => this.update(), 1_000);

  constructor(shown: () => Shown | undefined) {
    this.#item.name = 'Sluice checkpoint';
    this.#shown = shown;
    this.#listener = vscode.window.onDidChangeActiveNotebookEditor(() => this.update());
  }

  update(): void {
    const shown = this.#shown();
    const drawn = shown && durabilityText(shown.session, shown.offer, Date.now());
    if (drawn === undefined) return this.#item.hide();
    this.#item.text = drawn.text;
    this.#item.tooltip = drawn.tooltip;
    this.#item.command = drawn.command;
    this.#item.backgroundColor = drawn.isWarning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }

  dispose(): void {
    clearInterval(this.#clock);
    this.#listener.dispose();
    this.#item.dispose();
  }
}
