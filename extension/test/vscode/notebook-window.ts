// A browser window with VS Code and a notebook in it, with actions in the user's words: cells, run,
// outputs, status.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { displayLog } from './display-log.ts';

/** A wait ends when its event comes, so its limit is far above the time of a slow machine. */
export const longestWait = 120_000;

export class NotebookWindow {
  readonly page: Page;
  readonly #address: string;
  readonly #folder: string;
  readonly #screenshots: string;

  constructor(page: Page, options: { address: string; folder: string; screenshots: string }) {
    this.page = page;
    this.#address = options.address;
    this.#folder = options.folder;
    this.#screenshots = options.screenshots;
  }

  async load(file?: string): Promise<void> {
    const payload =
      file === undefined ? [] : [['openFile', `vscode-remote://${this.#address}${join(this.#folder, file)}`]];
    const query = new URLSearchParams({ folder: this.#folder, payload: JSON.stringify(payload) });
    await this.page.goto(`http://${this.#address}/?${query.toString()}`);
    try {
      await this.page.locator('.monaco-workbench').waitFor();
      if (file?.endsWith('.sluice.ts'))
        // Prose is drawn in the webview. Its row stays hidden.
        await this.cells.first().waitFor({ state: 'attached' });
    } catch (error) {
      await this.screenshot('not-loaded');
      throw error;
    }
  }

  get notebook(): Locator {
    return this.page.locator('.notebookOverlay').filter({ visible: true });
  }
  /** Code and prose, in document order. */
  get cells(): Locator {
    return this.notebook.locator('.cell-list-container > .monaco-list .monaco-list-row');
  }
  get codeCells(): Locator {
    return this.notebook.locator('.monaco-list-row.code-cell-row');
  }
  codeCell(index: number): Locator {
    return this.codeCells.nth(index);
  }
  status(index: number): Locator {
    return this.codeCell(index).locator('.cell-statusbar-container');
  }

  /** The id that the cell's status bar shows on the right, or '' if it shows none. */
  async cellId(index: number): Promise<string> {
    const items = await this.status(index).locator('.cell-status-right .cell-status-item').allInnerTexts();
    return items.map((item) => item.trim()).find((item) => item !== '' && item !== 'Sluice Cell') ?? '';
  }

  /** Selects the cell itself, not its text. Keys are then commands. */
  async selectCell(index: number): Promise<void> {
    await this.codeCell(index).locator('.view-line').first().click();
    await this.page.keyboard.press('Escape');
    await this.codeCell(index).and(this.page.locator('.focused')).waitFor();
  }

  async writeAtEnd(index: number, text: string): Promise<void> {
    await this.codeCell(index).locator('.view-line').last().click();
    await this.page.keyboard.press('Control+End');
    for (const [n, line] of text.split('\n').entries()) {
      if (n > 0) await this.page.keyboard.press('Enter');
      await this.page.keyboard.type(line, { delay: 30 });
    }
  }

  async codeTexts(): Promise<string[]> {
    return (await this.codeCells.locator('.view-lines').all()).length === 0
      ? []
      : Promise.all((await this.codeCells.all()).map((cell) => cellText(cell)));
  }

  /**
   * The button is visible while the pointer is over the cell. Outputs above may have moved the cell
   * away meanwhile.
   */
  async runCell(index: number): Promise<void> {
    const cell = this.codeCell(index);
    for (let attempt = 1; ; attempt++) {
      await cell.hover();
      try {
        return await cell
          .getByRole('button', { name: /^Execute Cell(?! and)/ })
          .first()
          .click({ timeout: 10_000 });
      } catch (error) {
        if (attempt === 10) throw error;
      }
    }
  }

  async runAll(): Promise<void> {
    await this.notebook
      .locator('.notebook-toolbar-left')
      .getByRole('button', { name: /Run All/ })
      .click();
  }

  /** Asserts that the run of the cell succeeded. On failure a screenshot shows the window. */
  async finished(index: number, timeout = longestWait): Promise<void> {
    try {
      await this.codeCell(index).locator('.codicon-notebook-state-success').waitFor({ timeout });
    } catch (error) {
      const picture = await this.screenshot(`cell-${index}-did-not-finish`);
      throw new Error(`Cell ${index} says "${await this.statusText(index)}", see ${picture}.`, { cause: error });
    }
  }

  failed(index: number): Locator {
    return this.codeCell(index).locator('.codicon-notebook-state-error');
  }

  executing(index: number): Locator {
    return this.codeCell(index).locator('.codicon-notebook-state-executing');
  }

  /** The frame that draws outputs. */
  get outputs(): FrameLocator {
    return this.page.frameLocator('iframe.webview').frameLocator('#active-frame');
  }

  /** The view under a cell, with all its displays. */
  view(cell: string): Locator {
    return this.outputs.locator(`[data-cell="${cell}"]`);
  }

  /**
   * The rows that a cell's chart draws now. In a split notebook, the rows of one of its editors.
   */
  async chartRows(cell: string, editor = 0): Promise<Record<string, unknown>[]> {
    const plots = this.page
      .locator('iframe.webview')
      .nth(editor)
      .contentFrame()
      .frameLocator('#active-frame')
      .locator(`[data-cell="${cell}"] .sl-plot`);
    if ((await plots.count()) === 0) return [];
    return plots.first().evaluate((plot) => (plot as unknown as ChartNode).vegaView?.data('rows') ?? []);
  }

  /** Number of kernel messages that the renderers of this window got. */
  async sentMessages(): Promise<number> {
    return (await displayLog(this.page)).length;
  }

  async statusText(index: number): Promise<string> {
    return (await this.status(index).innerText()).replaceAll(/\s*\n\s*/g, ' ');
  }

  /** In a new window, the palette does not know all commands yet. */
  async command(title: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      await this.page.keyboard.press('F1');
      const input = this.page.locator('.quick-input-widget input').first();
      await input.waitFor();
      await input.fill(`>${title}`);
      try {
        // The list is filtered after a moment. Until then its first row may be another command.
        return await this.pick(title, 5_000);
      } catch (error) {
        if (attempt === 20) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  async pick(label: string, timeout = longestWait): Promise<void> {
    const names = this.page.locator('.quick-input-list .label-name');
    await names.getByText(label, { exact: true }).first().click({ timeout });
  }

  /**
   * Types a path into VS Code's own file dialog and confirms it. The dialog also writes into its
   * input while it reads the folder.
   */
  async answer(path: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input').first();
    const settled = (good: (value: string) => boolean): Promise<string> => {
      let last: string | undefined;
      const ask = async (): Promise<string> => {
        const value = await input.inputValue();
        const isSettled = value === last;
        last = value;
        await this.page.waitForTimeout(300);
        return isSettled ? value : '';
      };
      return until('the dialog', ask, (value) => value !== '' && good(value), 15_000);
    };
    for (let attempt = 1; ; attempt++) {
      try {
        await settled((value) => value.startsWith('/'));
        break;
      } catch (error) {
        if (attempt === 6) throw error;
      }
    }
    for (let attempt = 1; ; attempt++) {
      await input.fill(path);
      try {
        await settled((value) => value === path);
        break;
      } catch (error) {
        if (attempt === 6) throw error;
      }
    }
    // Some dialogs first open the typed folder and then need another confirmation.
    for (let presses = 0; presses < 3 && (await input.isVisible()); presses++) {
      await input.press('Enter');
      await input.waitFor({ state: 'hidden', timeout: 3_000 }).catch(() => undefined);
    }
  }

  /** VS Code asks before it opens an address, until the domain is allowed. */
  async allowOpening(): Promise<void> {
    this.page.on('dialog', (dialog) => void dialog.accept());
    await this.page.addLocatorHandler(
      this.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Open', exact: true }),
      async (button) => {
        await button.click();
      },
    );
  }

  async isDirty(): Promise<boolean> {
    return (await this.page.locator('.tab.active.dirty').count()) > 0;
  }

  async screenshot(name: string, page = this.page): Promise<string> {
    const path = join(this.#screenshots, `${name}.png`);
    await page.screenshot({ path });
    return path;
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}

/** Data that the renderer leaves on a chart's node. */
export interface ChartNode {
  vegaView?: { data(name: string): Record<string, unknown>[] };
}

/** Repeats a question until the answer is accepted. The error contains the last answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  isEnough: (answer: T) => boolean,
  timeout = longestWait,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (isEnough(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeout} ms; last: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}

/** The drawn text of a cell's editor. VS Code draws spaces as no-break spaces. */
async function cellText(cell: Locator): Promise<string> {
  const lines = await cell.locator('.view-line').all();
  const placed = await Promise.all(
    lines.map(async (line) => ({
      top: Number.parseFloat(await line.evaluate((node) => node.style.top)),
      text: (await line.textContent()) ?? '',
    })),
  );
  assert.ok(placed.length > 0, 'the cell is drawn');
  return placed
    .sort((a, b) => a.top - b.top)
    .map(({ text }) => text.replaceAll('\u00a0', ' '))
    .join('\n');
}
