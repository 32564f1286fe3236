// Completions in cells. Details of a completion are requested when the user selects it.
import * as vscode from 'vscode';
import type { CellPosition, CompletionData } from '../../kernel/protocol/language.ts';
import type { LanguageProcess } from './language-process.ts';
import type { PositionOf } from './position-of.ts';
import { completionItem, range } from './to-editor.ts';

export function completionProvider(server: LanguageProcess, positionOf: PositionOf): vscode.CompletionItemProvider {
  return {
    async provideCompletionItems(document, position, token, { triggerCharacter }) {
      const at = positionOf(document, position);
      const found = at && (await server.request('completion', { ...at, trigger: triggerCharacter }, token));
      if (at === undefined || found === undefined) return undefined;
      return new vscode.CompletionList(
        found.items.map((completion) => remember(completionItem(completion), at, completion.data)),
        found.isIncomplete,
      );
    },
    async resolveCompletionItem(item, token) {
      const origin = origins.get(item);
      const details = origin && (await server.request('resolve', origin, token));
      if (origin === undefined || details === undefined || details === null) return item;
      item.detail = details.detail;
      item.documentation = new vscode.MarkdownString(details.documentation);
      item.additionalTextEdits = details.edits.map((edit) => new vscode.TextEdit(range(edit.range), edit.newText));
      return item;
    },
  };
}

const origins = new WeakMap<vscode.CompletionItem, CellPosition & { readonly data: CompletionData }>();

function remember(item: vscode.CompletionItem, at: CellPosition, data: CompletionData): vscode.CompletionItem {
  origins.set(item, { ...at, data });
  return item;
}
