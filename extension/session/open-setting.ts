// "Open Setting" on the errors of cells that name a setting.
import * as vscode from 'vscode';
import { notebookType } from '../notebook/cell-metadata.ts';
import { settingIn } from './setting-in.ts';

const openSettings = 'workbench.action.openSettings';

export function openSettingCommand(setting: string): vscode.Command {
  return { command: openSettings, title: `Open Setting ${setting}`, arguments: [setting] };
}

export function registerOpenSetting(): vscode.Disposable {
  return vscode.languages.registerCodeActionsProvider(
    { notebookType },
    {
      provideCodeActions: (_document, _range, { diagnostics }) =>
        diagnostics.flatMap((diagnostic) => {
          const setting = diagnostic.source === 'sluice' ? settingIn([diagnostic.message]) : undefined;
          if (setting === undefined) return [];
          const command = openSettingCommand(setting);
          const action = new vscode.CodeAction(command.title, vscode.CodeActionKind.QuickFix);
          action.diagnostics = [diagnostic];
          action.command = command;
          return [action];
        }),
    },
    { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
  );
}
