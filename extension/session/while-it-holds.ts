// An offer in a notification goes when it is answered by other means. VS Code has no call that
// closes one notification. It can take all of them from the screen, into the list behind the bell,
// as it does by itself after some seconds. So this happens only while the offer may be on the
// screen, and an answer from the list that comes too late does nothing.
import * as vscode from 'vscode';
import type { LiveNotebook } from './live-notebook.ts';

/** VS Code takes a notification from the screen after 10 to 15 s, if its window has the focus. */
const onScreenMillis = 20_000;

/** The answer, if the offer still holds then. */
export async function whileItHolds(
  live: LiveNotebook,
  holds: () => boolean,
  answer: Thenable<string | undefined>,
): Promise<string | undefined> {
  const shownAt = Date.now();
  const listener = live.onDidChange(() => {
    if (holds()) return;
    listener.dispose();
    if (Date.now() - shownAt < onScreenMillis) void vscode.commands.executeCommand('notifications.hideToasts');
  });
  try {
    const given = await answer;
    return holds() ? given : undefined;
  } finally {
    listener.dispose();
  }
}
