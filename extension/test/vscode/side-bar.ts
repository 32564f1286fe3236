// The side bar of a window, with actions in the user's words: rows of the tree, their inline icons,
// and the questions of the form.
import type { FrameLocator, Locator } from 'playwright-core';
import type { NotebookWindow } from './notebook-window.ts';

export class SideBar {
  readonly #window: NotebookWindow;

  constructor(window: NotebookWindow) {
    this.#window = window;
  }

  get #page() {
    return this.#window.page;
  }
  get pane(): Locator {
    return this.#page.locator('.sidebar');
  }
  async open(): Promise<void> {
    await this.#page.locator('.activitybar').getByRole('tab', { name: 'Sluice' }).first().click();
  }

  /** `text`: of the label and what follows it. */
  row(text: RegExp): Locator {
    return this.pane
      .locator('.monaco-list-row')
      .filter({ has: this.#page.locator('.monaco-icon-label-container').filter({ hasText: text }) });
  }
  async unfold(text: RegExp): Promise<void> {
    await this.#turn(text);
  }
  async fold(text: RegExp): Promise<void> {
    await this.#turn(text);
  }
  async #turn(text: RegExp): Promise<void> {
    await this.row(text).first().locator('.monaco-tl-twistie').click();
  }
  /** An inline icon, which appears while the pointer is over the row. */
  async act(text: RegExp, title: string): Promise<void> {
    const row = this.row(text).first();
    await row.hover();
    await row.locator('.actions').getByRole('button', { name: title }).click();
  }

  /** An entry of the context menu of a row. */
  async choose(text: RegExp, entry: string): Promise<void> {
    await this.row(text).first().click({ button: 'right' });
    await this.#page.locator('.monaco-menu').getByRole('menuitem', { name: entry, exact: true }).click();
  }

  /** A view of the side bar with its title: "Connections" or "Sessions". */
  view(title: string): Locator {
    return this.pane.locator('.pane', { has: this.#page.locator('.pane-header .title', { hasText: title }) });
  }
  /** An icon in the title of a view, which appears while the pointer is over the view. */
  async actOfView(view: string, title: string): Promise<void> {
    await this.view(view).hover();
    await this.view(view).locator('.pane-header').getByRole('button', { name: title }).click();
  }
  /** An entry of the menu of a view. */
  async chooseOfView(view: string, entry: string): Promise<void> {
    await this.actOfView(view, 'More Actions');
    await this.#page.locator('.monaco-menu').getByRole('menuitem', { name: entry, exact: true }).click();
  }

  get #input(): Locator {
    return this.#page
      .locator('.quick-input-widget input[type="text"], .quick-input-widget input[type="password"]')
      .first();
  }
  /** Answers the question that is shown, and waits for the next one. */
  async answer(text: string): Promise<void> {
    const question = await this.#step();
    await this.#input.fill(text);
    await this.#input.press('Enter');
    await this.#page.waitForFunction(notAt, question);
  }
  /** The answer stands there already. */
  async confirm(text: string): Promise<void> {
    const question = await this.#step();
    await this.#page.waitForFunction(
      (wanted) => document.querySelector<HTMLInputElement>('.quick-input-widget input[type="text"]')?.value === wanted,
      text,
    );
    await this.#input.press('Enter');
    await this.#page.waitForFunction(notAt, question);
  }
  async pick(label: string): Promise<void> {
    const question = await this.#step();
    await this.#window.pick(label);
    await this.#page.waitForFunction(notAt, question);
  }
  /** "Add Connection (3/7)" */
  async #step(): Promise<string> {
    const title = this.#page.locator('.quick-input-widget .quick-input-title');
    await title.waitFor();
    return title.innerText();
  }

  /** The text of a notification that matches. */
  async notification(text: RegExp): Promise<string> {
    const found = this.#page.locator('.notification-list-item-message').filter({ hasText: text }).first();
    try {
      await found.waitFor();
    } catch (error) {
      await this.#window.screenshot('no-notification');
      throw error;
    }
    return found.innerText();
  }
  async clearNotifications(): Promise<void> {
    await this.#window.command('Notifications: Clear All Notifications');
  }

  get peek(): FrameLocator {
    return this.#page
      .frameLocator('iframe.webview[src*="sluice"], iframe.webview')
      .last()
      .frameLocator('#active-frame');
  }
}

function notAt(question: string): boolean {
  const widget = document.querySelector<HTMLElement>('.quick-input-widget');
  const title = widget?.querySelector<HTMLElement>('.quick-input-title');
  return widget?.style.display === 'none' || title?.innerText !== question;
}
