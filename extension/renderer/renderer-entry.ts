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
  const placedByCell = new Map<string, Placed>();
  let isTabVisible = true;
  const post = (message: ToHost): void => context.postMessage?.(message);

  context.onDidReceiveMessage?.((received: FromHost) => {
    switch (received.type) {
      case 'view':
        placedByCell.get(received.message.view)?.view.apply(received.message);
        return;
      case 'visible':
        isTabVisible = received.visible;
        for (const { view } of placedByCell.values()) view.holdBack(!isTabVisible);
        return;
      case 'again':
        for (const { view } of placedByCell.values()) view.again();
        return;
      default:
        // A later host may send messages that this renderer does not know.
        received satisfies never;
    }
  });

  const place = (cell: string, session: string): Placed => {
    const view = new LiveView(cell, {
      show: (hello) => post({ type: 'show', session, ...hello }),
      hide: (hidden) => post({ type: 'hide', session, view: hidden }),
      download: (from, part) => post({ type: 'rows', session, view: from, part }),
      open: (location) => post({ type: 'open', session, ...location }),
    });
    if (!isTabVisible) view.holdBack(true);
    return { view, session, item: undefined };
  };

  const remove = (cell: string, placed: Placed): void => {
    placed.view.dispose();
    if (placedByCell.get(cell) === placed) placedByCell.delete(cell);
  };

  const render = (item: OutputItem, host: HTMLElement): void => {
    const { session, cell } = item.json() as ViewItem;
    let placed = placedByCell.get(cell);
    // A view of another session is not reused.
    if (placed !== undefined && placed.session !== session) {
      remove(cell, placed);
      placed = undefined;
    }
    if (placed === undefined) {
      placed = place(cell, session);
      placedByCell.set(cell, placed);
    }
    clearTimeout(placed.leaving);
    placed.item = item.id;
    injectStyles(host);
    if (placed.view.element.parentNode !== host) host.replaceChildren(placed.view.element);
  };

  return {
    renderOutputItem: render,
    disposeOutputItem(id) {
      for (const [cell, placed] of placedByCell) {
        if (id !== undefined && placed.item !== id) continue;
        clearTimeout(placed.leaving);
        if (id === undefined) remove(cell, placed);
        else placed.leaving = setTimeout(() => remove(cell, placed), adoptionMillis);
      }
    },
  };
};
