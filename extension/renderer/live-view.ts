// A view that follows the kernel. It says hello while it is visible, applies messages, and draws at
// most once per animation frame.
//
//   hidden ─visible─► hello ─snapshot─► following ─gap─► hello …
//     ▲                                     │
//     └──────── not visible: hide ◄─────────┘     the drawn state stays as it was
import type { ErrorPart, ViewDelta, ViewHello, ViewSnapshot } from '../../kernel/protocol/displays.ts';
import { element } from './element.ts';
import { View } from './view.ts';
import { ViewClient } from './view-client.ts';
import { watchVisibility } from './visibility.ts';

/** The connection to the kernel: the extension host's messaging, or the page's WebSocket. */
export interface ViewLink {
  show(hello: ViewHello): void;
  hide(view: string): void;
  download(view: string, part: string): void;
  readonly open?: (location: NonNullable<ErrorPart['location']>) => void;
}

const firstRetryMillis = 1_000;
const lastRetryMillis = 15_000;

export class LiveView {
  readonly cell: string;
  readonly client: ViewClient;
  readonly element: HTMLElement;
  readonly #link: ViewLink;
  readonly #view: View;
  readonly #waiting = element('div', 'sl-awaiting', 'waiting for the session');
  readonly #abort = new AbortController();
  #isInSight = false;
  #isHeldBack = false;
  #isShown = false;
  #frame: number | undefined;
  #lastDrawn = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -Infinity;

  constructor(cell: string, link: ViewLink) {
    this.cell = cell;
    this.#link = link;
    this.client = new ViewClient(cell);
    this.#view = new View(cell, { download: (part) => link.download(cell, part), open: link.open });
    this.element = this.#view.element;
    this.element.append(this.#waiting);
    watchVisibility(
      this.element,
      (visible) => {
        this.#isInSight = visible;
        this.#settle();
      },
      this.#abort.signal,
    );
  }

  /** Its session has ended, so what it shows is old. */
  age(): void {
    this.element.classList.add('sl-old');
    this.#waiting.remove();
  }

  apply(message: ViewSnapshot | ViewDelta): void {
    switch (this.client.apply(message)) {
      case 'changed':
        this.element.classList.remove('sl-old');
        clearTimeout(this.#retry);
        this.#askedAt = -Infinity;
        this.#drawSoon();
        return;
      case 'resync':
        // One pending hello is enough for all deltas after a gap. A lost hello is repeated after a
        // while.
        if (performance.now() - this.#askedAt > firstRetryMillis) this.#hello();
        return;
      case 'unchanged':
    }
  }

  /** Stops a view that is in sight, because its tab is hidden. */
  holdBack(isHeldBack: boolean): void {
    this.#isHeldBack = isHeldBack;
    this.#settle();
  }

  /** The connection is back. A visible view sends its last known state again. */
  again(): void {
    if (this.#isShown) this.#hello();
  }

  dispose(): void {
    this.#abort.abort();
    clearTimeout(this.#retry);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    if (this.#isShown) this.#link.hide(this.cell);
    this.#isShown = false;
    this.#view.dispose();
  }

  #settle(): void {
    const shown = this.#isInSight && !this.#isHeldBack;
    if (shown === this.#isShown) return;
    this.#isShown = shown;
    if (shown) {
      this.#hello();
      return;
    }
    clearTimeout(this.#retry);
    this.#link.hide(this.cell);
  }

  #hello(): void {
    if (!this.#isShown) return;
    this.#askedAt = performance.now();
    this.#link.show(this.client.hello());
    // Without known state there must be an answer. Otherwise no message means that nothing is new.
    if (this.client.state === undefined) this.#helloAgainIn(firstRetryMillis);
  }

  #helloAgainIn(millis: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.client.state !== undefined || !this.#isShown) return;
      this.#link.show(this.client.hello());
      this.#helloAgainIn(Math.min(millis * 2, lastRetryMillis));
    }, millis);
  }

  #drawSoon(): void {
    if (this.#frame !== undefined || this.#abort.signal.aborted) return;
    this.#frame = requestAnimationFrame((now) => {
      this.#frame = undefined;
      // Users who prefer reduced motion see the data move once a second.
      if (now - this.#lastDrawn < 1_000 && matchMedia('(prefers-reduced-motion: reduce)').matches) {
        setTimeout(() => this.#drawSoon(), 1_000 - (now - this.#lastDrawn));
        return;
      }
      this.#lastDrawn = now;
      this.#waiting.remove();
      this.#view.draw(this.client.state?.parts ?? []);
    });
  }
}
