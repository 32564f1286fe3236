// The served page: the notebook's title and prose, its live displays, and its code folded away.
// It follows the session and reconnects automatically.
import type { SessionView, Welcome } from '../../../kernel/protocol/messages.ts';
import { element, setAttribute, setClass, setText } from '../element.ts';
import { checkpointText, durabilityWarnings } from '../../../kernel/protocol/durability-text.ts';
import { rate } from '../../../kernel/protocol/figures.ts';
import { clock, count, day } from '../format.ts';
import { injectStyles } from '../inject-styles.ts';
import { Cells } from './cells.ts';
import type { LinkState } from './session-link.ts';
import { SessionLink } from './session-link.ts';

const stateWord: Readonly<Record<LinkState, string>> = {
  connecting: 'connecting',
  live: 'live',
  cut: 'reconnecting',
  ended: 'ended',
};

function openPage(): void {
  const word = element('span', 'sl-link-word', 'connecting');
  const figures = element('span', 'sl-link-figures');
  const status = element('span', 'sl-status', word, figures);
  status.setAttribute('role', 'status');
  status.setAttribute('aria-live', 'off');
  const bar = element('header', 'sl-bar-top', status);

  const cells = new Cells({
    show: (hello) => void link.rpc?.request('show', hello).catch(ignoreCut),
    hide: (view) => void link.rpc?.request('hide', { view }).catch(ignoreCut),
    download: (view, part) =>
      void link.rpc
        ?.request('rows', { view, part })
        .then(({ jsonl }) => save(`${view}.jsonl`, jsonl))
        .catch((error: unknown) => setText(figures, ` · ${String(error)}`)),
  });
  let since = 0;
  const drawFigures = (state: SessionView): void => {
    const viewers = `${count(state.clients)} ${state.clients === 1 ? 'viewer' : 'viewers'}`;
    const begun =
      day(since) === day(Date.now()) ? clock(since).slice(0, 5) : `${day(since)} ${clock(since).slice(0, 5)}`;
    const now = Date.now();
    const pieces = [
      ...[viewers, rate(state.recordsPerSecond), `session since ${begun}`],
      ...[checkpointText(state, now), state.warning, ...durabilityWarnings(state, now)],
    ];
    setText(figures, pieces.flatMap((piece) => (piece === undefined ? [] : [` · ${piece}`])).join(''));
    // A narrow window cuts the line.
    setAttribute(bar, 'title', bar.textContent ?? '');
  };
  let drawn: SessionView | undefined;
  // The age of a checkpoint grows by itself.
  setInterval(() => {
    if (!drawn) return;
    drawFigures(drawn);
    cells.states(drawn);
  }, 1_000);
  const link = new SessionLink({
    linked(state, sentence) {
      setText(word, stateWord[state]);
      if (state !== 'live') drawn = undefined;
      setClass(bar, `sl-bar-top sl-link-${state}`);
      if (sentence !== '') setText(figures, ` · ${sentence}`);
    },
    welcome(welcome: Welcome) {
      since = welcome.since;
      document.title = titleOf(welcome);
      cells.draw(welcome.cells);
      cells.states(welcome.state);
      drawFigures((drawn = welcome.state));
      for (const view of cells.views()) view.again();
    },
    state(state) {
      cells.states(state);
      drawFigures((drawn = state));
    },
    view: (message) => cells.view(message.view)?.apply(message),
    cells: (texts) => cells.draw(texts),
  });

  injectStyles(document.body);
  document.body.classList.add('sl-page');
  document.body.replaceChildren(bar, cells.element);
  link.connect();
}

/** The first heading of the prose, or the file's name. */
function titleOf(welcome: Welcome): string {
  for (const { kind, text } of welcome.cells) {
    const heading = kind === 'markdown' ? /^#\s+(.+)$/m.exec(text)?.[1] : undefined;
    if (heading !== undefined) return heading.trim();
  }
  return (welcome.notebook.split(/[\\/]/).at(-1) ?? 'Sluice').replace(/\.sluice\.ts$/, '');
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
  const anchor = element('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function ignoreCut(): void {
  // The link reconnects automatically, and then every view says hello again.
}

openPage();
