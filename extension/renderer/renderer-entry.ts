// The notebook renderer of VS Code: one output item and one live view per cell.
// A cell keeps its view when its item is written again: nodes, Vega view and scroll positions move
// into the new output element.
import type { ActivationFunction, OutputItem } from 'vscode-notebook-renderer';
import type { ViewItem } from '../../kernel/protocol/displays.ts';
import type { FromHost, ToHost } from './host-messages.ts';
import { injectStyles } from './inject-styles.ts';
import { LiveView } from './live-view.ts';

/** A view without an output element waits this long for the next item of its cell. */
const adoptionMillis = 5_000;

interface Placed {
  readonly view: LiveView;
  readonly session: string;
  item: string | undefined;
  leaving?: ReturnType<typeof setTimeout>;
}

export const activate: ActivationFunction = (context) => {
  const views = new PlacedViews((message) => context.postMessage?.(message));
  context.onDidReceiveMessage?.((received: FromHost) => views.receive(received));
  return {
    renderOutputItem: (item, host) => views.render(item, host),
    disposeOutputItem: (id) => views.dispose(id),
  };
};

class PlacedViews {
  readonly #post: (message: ToHost) => void;
  readonly #byCell = new Map<string, Placed>();
  #isTabVisible = true;

  constructor(post: (message: ToHost) => void) {
    this.#post = post;
  }

  receive(received: FromHost): void {
    switch (received.type) {
      case 'view':
        this.#byCell.get(received.message.view)?.view.apply(received.message);
        return;
      case 'visible':
        this.#isTabVisible = received.visible;
        for (const { view } of this.#byCell.values()) view.holdBack(!this.#isTabVisible);
        return;
      case 'again':
        for (const { view } of this.#byCell.values()) view.again();
        return;
      case 'ended':
        for (const { view, session } of this.#byCell.values()) if (session === received.session) view.age();
        return;
      default:
        // A later host may send messages that this renderer does not know.
        received satisfies never;
    }
  }

  render(item: OutputItem, host: HTMLElement): void {
    const { session, cell } = item.json() as ViewItem;
    let placed = this.#byCell.get(cell);
    // A view of another session is not reused.
    if (placed !== undefined && placed.session !== session) {
      this.#remove(cell, placed);
      placed = undefined;
    }
    if (placed === undefined) {
      placed = this.#place(cell, session);
      this.#byCell.set(cell, placed);
    }
    clearTimeout(placed.leaving);
    placed.item = item.id;
    injectStyles(host);
    if (placed.view.element.parentNode !== host) host.replaceChildren(placed.view.element);
  }
  /** undefined: all items. */
  dispose(id: string | undefined): void {
    for (const [cell, placed] of this.#byCell) {
      if (id !== undefined && placed.item !== id) continue;
      clearTimeout(placed.leaving);
      if (id === undefined) this.#remove(cell, placed);
      else placed.leaving = setTimeout(() => this.#remove(cell, placed), adoptionMillis);
    }
  }

  #place(cell: string, session: string): Placed {
    const view = new LiveView(cell, {
      show: (hello) => this.#post({ type: 'show', session, ...hello }),
      hide: (hidden) => this.#post({ type: 'hide', session, view: hidden }),
      download: (from, part) => this.#post({ type: 'rows', session, view: from, part }),
      open: (location) => this.#post({ type: 'open', session, ...location }),
    });
    if (!this.#isTabVisible) view.holdBack(true);
    return { view, session, item: undefined };
  }
  #remove(cell: string, placed: Placed): void {
    placed.view.dispose();
    if (this.#byCell.get(cell) === placed) this.#byCell.delete(cell);
  }
}
