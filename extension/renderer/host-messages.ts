// The messages between the renderer in VS Code's webview and the extension host, over the
// notebook's renderer messaging. Types only.
//
// A webview belongs to one notebook editor, so a cell id identifies one cell. Messages to a
// renderer that does not exist yet are lost. So the renderer begins with `show` and repeats it
// until it gets an answer.
import type { ViewDelta, ViewHello, ViewSnapshot } from '../../kernel/protocol/displays.ts';

/** From the renderer to the extension host. */
export type ToHost =
  /**
   * The view is visible. The host passes this `ViewHello` on as the kernel's `show`. Idempotent.
   */
  | ({ readonly type: 'show'; readonly session: string } & ViewHello)
  /** The view is no longer visible (scrolled away, collapsed, hidden tab, disposed): `hide`. */
  | { readonly type: 'hide'; readonly session: string; readonly view: string }
  /** The user wants to save the rows of a display. The host requests `rows` and asks for a file. */
  | { readonly type: 'rows'; readonly session: string; readonly view: string; readonly part: string }
  /**
   * The user clicked the place of an error. Line and column are one-based, as in
   * `ErrorPart.location`.
   */
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
   * The editor's tab was hidden or shown. A webview in a hidden tab cannot detect this itself. All
   * its views hide, and say hello again when the tab is shown.
   */
  | { readonly type: 'visible'; readonly visible: boolean }
  /**
   * The connection to the kernel is back, or there is another kernel. All visible views must send
   * `show` again.
   */
  | { readonly type: 'again' }
  /** The session has ended. Its views stay, and are shown as old. */
  | { readonly type: 'ended'; readonly session: string };
