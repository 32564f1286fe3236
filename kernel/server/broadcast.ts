// Sends notifications to all clients: state and texts when they have changed, gathered for a
// moment, and events at once.
import type { CellText, Notifications, SessionView } from '../protocol/messages.ts';

export type Notify = <N extends keyof Notifications>(method: N, params: Notifications[N]) => void;

const gatherMillis = 50;

export class Broadcast {
  readonly #clients = new Map<string, Notify>();
  readonly #view: () => SessionView;
  readonly #document: () => readonly CellText[];
  #timer: NodeJS.Timeout | undefined;
  #lastView = '';
  #lastDocument: readonly CellText[] = [];

  constructor(view: () => SessionView, document: () => readonly CellText[]) {
    this.#view = view;
    this.#document = document;
  }

  add(client: string, notify: Notify): void {
    this.#clients.set(client, notify);
  }
  remove(client: string): boolean {
    return this.#clients.delete(client);
  }
  readonly tell: Notify = (method, params) => {
    for (const notify of this.#clients.values()) notify(method, params);
  };

  /** The state or the texts may have changed. */
  changed(): void {
    if (this.#clients.size > 0) this.#timer ??= setTimeout(() => this.#tellChanges(), gatherMillis);
  }
  close(): void {
    clearTimeout(this.#timer);
  }

  #tellChanges(): void {
    this.#timer = undefined;
    const view = this.#view();
    const text = JSON.stringify(view);
    if (text !== this.#lastView) this.tell('state', view);
    this.#lastView = text;
    const cells = this.#document();
    if (cells !== this.#lastDocument) this.tell('cells', { cells });
    this.#lastDocument = cells;
  }
}
