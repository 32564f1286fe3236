// "Set Up This Folder": writes the declarations of `sluice`, and tsconfig.json and package.json if
// they are missing.
import * as vscode from 'vscode';
import { notificationText } from '../session/plain-label.ts';
import { folderFiles } from './folder-files.ts';
import { isThere } from './new-notebook.ts';
import { targetNotebook } from './target.ts';

export async function setUpFolder(extension: vscode.Uri, argument: unknown): Promise<void> {
  const folder = await chooseFolder(argument);
  if (folder === undefined) return;
  const packageJson = vscode.Uri.joinPath(folder, 'package.json');
  const { files, advice } = folderFiles(
    {
      hasTsconfig: await isThere(vscode.Uri.joinPath(folder, 'tsconfig.json')),
      packageJson: (await isThere(packageJson)) ? await read(packageJson) : undefined,
    },
    await read(vscode.Uri.joinPath(extension, 'dist', 'ambient.d.ts')),
  );
  for (const [name, text] of Object.entries(files))
    await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, name), new TextEncoder().encode(text));
  const wrote = notificationText(`Wrote ${Object.keys(files).join(', ')} in ${folder.fsPath}.`);
  if (advice.length === 0) void vscode.window.showInformationMessage(wrote);
  else void vscode.window.showWarningMessage([wrote, ...advice].join(' '));
}

async function chooseFolder(argument: unknown): Promise<vscode.Uri | undefined> {
  const notebook = targetNotebook(argument);
  const own = notebook === undefined ? undefined : vscode.workspace.getWorkspaceFolder(notebook.uri)?.uri;
  if (own !== undefined) return own;
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 1) return folders[0]!.uri;
  if (folders.length > 1)
    return (await vscode.window.showWorkspaceFolderPick({ placeHolder: 'Select the folder to set up' }))?.uri;
  if (notebook !== undefined) return vscode.Uri.joinPath(notebook.uri, '..');
  const chosen = await vscode.window.showOpenDialog({
    title: 'Select the folder to set up',
    openLabel: 'Set Up',
    canSelectFolders: true,
    canSelectFiles: false,
  });
  return chosen?.[0];
}

async function read(uri: vscode.Uri): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
}
