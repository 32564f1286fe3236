// What a window offers when its session has ended by itself: the outputs are old, and the notebook
// can run again.
import * as vscode from 'vscode';
import { basename } from 'node:path';
import type { Ended, LiveNotebook } from './live-notebook.ts';
import { notificationText } from './plain-label.ts';
import { whileItHolds } from './while-it-holds.ts';

const runAll = 'Run All';

/** To go on from a checkpoint is better: see resume-offers.ts. */
export async function offerAfterEnd(live: LiveNotebook, { reason, isAskedFor }: Ended): Promise<void> {
  const hasOutputs = live.notebook.getCells().some(({ outputs }) => outputs.length > 0);
  if (isAskedFor || !hasOutputs) return;
  const text = notificationText(`${basename(live.notebook.uri.fsPath)}: ${reason} Its outputs are old.`);
  const isOver = (): boolean => live.connection === undefined && !live.isConnecting;
  const answer = await whileItHolds(live, isOver, vscode.window.showWarningMessage(text, runAll));
  if (answer === runAll) await live.runAll();
}
