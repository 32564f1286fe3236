// "Test Connection": says which step failed and the way out. All steps are in the output "Sluice
// Connections". No text has a secret.
import * as vscode from 'vscode';
import type { ConnectionReport, ConnectionStep } from '../../kernel/protocol/connections.ts';
import { notificationText } from '../session/plain-label.ts';
import type { BrowseProcess } from './browse-process.ts';
import type { TreeNode } from './tree-nodes.ts';

export class ConnectionTests {
  readonly #browse: BrowseProcess;
  readonly #output: vscode.OutputChannel;

  constructor(browse: BrowseProcess) {
    this.#browse = browse;
    this.#output = vscode.window.createOutputChannel('Sluice Connections');
  }
  dispose(): void {
    this.#output.dispose();
  }

  async test(name: string): Promise<void> {
    const report = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `Testing ${name} …` },
      () => this.#browse.ask('test', { connection: name }).catch((error: unknown) => failure(error as Error)),
    );
    this.#write(name, report);
    const [show, edit] = ['Show Steps', 'Edit Connection'];
    const chosen = report.ok
      ? await vscode.window.showInformationMessage(notificationText(`${name}: ${successText(report)}`), show)
      : await vscode.window.showErrorMessage(notificationText(`${name}: ${failureText(report)}`), edit, show);
    if (chosen === show) this.#output.show(true);
    if (chosen === edit) {
      const node: TreeNode = { kind: 'connection', connection: name };
      await vscode.commands.executeCommand('sluice.editConnection', node);
    }
  }

  #write(name: string, { ok, steps }: ConnectionReport): void {
    this.#output.appendLine(`${name}, ${new Date().toLocaleTimeString()}: ${ok ? 'works' : 'does not work'}`);
    for (const step of steps) this.#output.appendLine(`  ${step.state === 'ok' ? '✓' : '✖'} ${stepText(step)}`);
  }
}

function stepText({ step, broker, text, wayOut }: ConnectionStep): string {
  return `${step}${broker === undefined ? '' : ` ${broker}`}: ${text}${wayOut === undefined ? '' : ` ${wayOut}`}`;
}
function successText({ steps }: ConnectionReport): string {
  const last = steps.findLast(({ step }) => step === 'authorisation') ?? steps.at(-1);
  return last === undefined ? 'the connection works.' : `the connection works. ${last.text}`;
}
function failureText({ steps, error }: ConnectionReport): string {
  const failed = steps.find(({ state }) => state === 'failed');
  if (!failed) return error?.message ?? 'the test failed.';
  return `the step "${failed.step}" failed. ${failed.text}${failed.wayOut === undefined ? '' : ` ${failed.wayOut}`}`;
}
function failure(error: Error): ConnectionReport {
  return { ok: false, steps: [], error: { code: 'failed', message: error.message, step: 'settings' } };
}
