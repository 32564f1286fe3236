// "Open a Sample": copies a sample with its data to a folder of the user and opens it there.
import * as vscode from 'vscode';
import { notificationText } from '../session/plain-label.ts';
import { isThere, openNotebook } from './new-notebook.ts';
import { filesOf, listSamples } from './sample-files.ts';

export async function openSample(extension: vscode.Uri): Promise<void> {
  const from = vscode.Uri.joinPath(extension, 'samples');
  const samples = await listSamples(from.fsPath);
  const picked = await vscode.window.showQuickPick(
    samples.map((sample) => ({ label: sample.title, description: sample.file, detail: sample.summary, sample })),
    { title: 'Open a Sample', placeHolder: 'Select a sample', matchOnDetail: true },
  );
  if (picked === undefined) return;
  const open = vscode.workspace.workspaceFolders?.[0]?.uri;
  const [to] =
    (await vscode.window.showOpenDialog({
      title: 'Select a folder for the sample and its data',
      openLabel: 'Copy Here',
      canSelectFolders: true,
      canSelectFiles: false,
      ...(open === undefined ? {} : { defaultUri: open }),
    })) ?? [];
  if (to === undefined) return;
  const notebook = vscode.Uri.joinPath(to, picked.sample.file);
  if (await isThere(notebook)) {
    const answer = await vscode.window.showWarningMessage(
      notificationText(`${to.fsPath} already contains ${picked.sample.file}.`),
      { modal: true },
      'Open It',
      'Replace It',
    );
    if (answer === undefined) return;
    if (answer === 'Open It') return openNotebook(notebook);
  }
  for (const file of [...(await filesOf(from.fsPath, picked.sample.file)), picked.sample.file])
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(from, file), vscode.Uri.joinPath(to, file), { overwrite: true });
  await openNotebook(notebook);
}
