// Records the kernel's messages to the renderer of a window, one by one, as the webview got them.
import type { Frame, Page } from 'playwright-core';

export interface LoggedMessage {
  /** Milliseconds of the webview's clock. */
  readonly at: number;
  readonly view: string;
  readonly type: 'snapshot' | 'delta';
  readonly epoch: string;
  readonly seq: number;
  readonly bytes: number;
  /** Rows of charts and tables, values only. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How often each source was opened, by operator, from backpressure panels. */
  readonly opened: Readonly<Record<string, number>>;
}

/** Installed before the window loads: every frame of it records its messages. */
export async function logDisplays(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const log: LoggedMessage[] = [];
    (globalThis as { sluiceLog?: LoggedMessage[] }).sluiceLog = log;
    const listen = ({ data }: MessageEvent): void => {
      const outer = data as { type?: string; message?: { type?: string; message?: Sent } } | undefined;
      if (outer?.type !== 'customRendererMessage' || outer.message?.type !== 'view') return;
      const sent = outer.message.message!;
      const pieces = sent.type === 'snapshot' ? sent.parts : sent.changes.map((change) => change.part ?? change);
      const operators = pieces.flatMap((piece) => piece.operators ?? []);
      log.push({
        at: performance.now(),
        view: sent.view,
        type: sent.type,
        epoch: sent.epoch,
        seq: sent.seq,
        bytes: JSON.stringify(sent).length,
        rows: pieces.flatMap((piece) => piece.rows ?? []).map((row) => row.value),
        opened: Object.fromEntries(operators.flatMap(({ id, opened }) => (opened === undefined ? [] : [[id, opened]]))),
      });
    };
    // VS Code writes the document of a webview again, and that removes all listeners.
    setInterval(() => addEventListener('message', listen), 20);
    interface Piece {
      readonly rows?: readonly { readonly value: Record<string, unknown> }[];
      readonly operators?: readonly { readonly id: string; readonly opened?: number }[];
    }
    type Sent = { readonly view: string; readonly epoch: string; readonly seq: number } & (
      | { readonly type: 'snapshot'; readonly parts: readonly Piece[] }
      | { readonly type: 'delta'; readonly changes: readonly (Piece & { readonly part?: Piece })[] }
    );
  });
}

/** All messages so far, of the frame that draws outputs. */
export async function displayLog(page: Page): Promise<readonly LoggedMessage[]> {
  const logs = await Promise.all(page.frames().map(logOf));
  return logs.reduce((longest, log) => (log.length > longest.length ? log : longest), []);
}

async function logOf(frame: Frame): Promise<readonly LoggedMessage[]> {
  try {
    return await frame.evaluate(() => (globalThis as { sluiceLog?: LoggedMessage[] }).sluiceLog ?? []);
  } catch {
    // The frame is being replaced.
    return [];
  }
}
