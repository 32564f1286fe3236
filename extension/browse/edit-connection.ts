// "Add Connection", "Edit Connection" and "Remove Connection".
import * as vscode from 'vscode';
import { answersOf, definitionOf, noAnswers } from './connection-answers.ts';
import { askForConnection } from './connection-form.ts';
import { defaultName, secretsOf } from './connection-settings.ts';
import type { Connections } from './connections.ts';
import type { ConnectionTests } from './test-connection.ts';

/** Asks, saves and tests. `name`: the connection that is edited. */
export async function editConnection(
  connections: Connections,
  name: string | undefined,
  tests: ConnectionTests,
): Promise<void> {
  const all = connections.all();
  const former = name === undefined ? undefined : all[name];
  if (name !== undefined && !connections.isOwn(name)) return await showShortForm();
  const taken = Object.keys(all).filter((one) => one !== name);
  const first = name === undefined || !former ? { ...noAnswers, name: firstName(taken) } : answersOf(name, former);
  const answers = await askForConnection(first, {
    title: name === undefined ? 'Add Connection' : `Edit Connection ${name}`,
    taken,
    present: former === undefined ? [] : [...secretsOf(former).keys()],
  });
  if (!answers) return;
  const { definition, secrets } = definitionOf(answers, former);
  await connections.save(answers.name, definition, secrets, name);
  await tests.test(answers.name);
}
function firstName(taken: readonly string[]): string {
  return taken.includes(defaultName) ? '' : defaultName;
}

export async function removeConnection(connections: Connections, name: string): Promise<void> {
  const remove = 'Remove';
  const detail = 'Its definition and its stored secrets are removed. Nothing changes in the cluster.';
  const chosen = await vscode.window.showWarningMessage(
    `Remove the connection "${name}"?`,
    { modal: true, detail },
    remove,
  );
  if (chosen === remove) await connections.remove(name);
}

/** The default connection has no definition of its own. */
async function showShortForm(): Promise<void> {
  if (vscode.workspace.getConfiguration('sluice').get('brokers', '') !== '')
    await vscode.commands.executeCommand('workbench.action.openSettings', 'sluice.brokers');
  else
    void vscode.window.showInformationMessage(
      'The brokers of "default" are from the environment variable SLUICE_BROKERS. Change them there, or add a connection.',
    );
}
