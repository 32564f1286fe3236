// What the renderer in VS Code's webview and the extension host say to each other, over the notebook's renderer messaging. Types only.
//
// A webview belongs to one notebook editor, so a cell id names one cell. Messages that are sent before the renderer exists are
// lost: the renderer speaks first, by `show`, and repeats it until something comes.
import type { ViewDelta, ViewHello, ViewSnapshot } from '../../kernel/protocol/displays.ts';

/** From the renderer to the extension host. */
export type ToHost =
  /** The view can be seen: `ViewHello`, to be passed on as the kernel's `show`. Idempotent. */
  | ({ readonly type: 'show'; readonly session: string } & ViewHello)
  /** The view cannot be seen any more (scrolled away, collapsed, hidden tab, disposed): `hide`. */
  | { readonly type: 'hide'; readonly session: string; readonly view: string }
  /** The user wants what a display keeps: ask the kernel for `rows`, then a file to save them in. */
  | { readonly type: 'rows'; readonly session: string; readonly view: string; readonly part: string }
  /** The user clicked the place of an error. Line and column are 1-based, as in `ErrorPart.location`. */
  | {
      readonly type: 'open';
      readonly session: string;
      readonly cell?: string;
      readonly file?: string;
      readonly line: number;
      readonly column: number;
    };

/** From the extension host to the renderer. */
export type FromHost =
  | { readonly type: 'view'; readonly message: ViewSnapshot | ViewDelta }
  /**
   * The editor's tab was hidden or shown: a webview in a hidden tab cannot see that by itself. All views of the webview hide, and say
   * hello again when it is back.
   */
  | { readonly type: 'visible'; readonly visible: boolean }
  /** The connection to the kernel is back, or another kernel took over: say `show` again for what can be seen. */
  | { readonly type: 'again' };
