// Completions in cells. Details of a completion are requested when the user selects it.
import * as vscode from 'vscode';
import type { CellPosition, CompletionData } from '../../kernel/protocol/language.ts';
import type { LanguageProcess } from './language-process.ts';
import type { PositionOf } from './position-of.ts';
import { completionItem, range } from './to-editor.ts';

/** Completions of another kind; undefined: there are none at this place. */
export type MoreCompletions = (
  document: vscode.TextDocument,
  position: vscode.Position,
) => Promise<vscode.CompletionList | undefined>;

/** `more` does not repeat a name of the server. */
export function completionProvider(
  server: LanguageProcess,
  positionOf: PositionOf,
  more: MoreCompletions,
): vscode.CompletionItemProvider {
  return {
    async provideCompletionItems(document, position, token, { triggerCharacter }) {
      const at = positionOf(document, position);
      if (at === undefined) return undefined;
      const [found, others] = await Promise.all([
        server.request('completion', { ...at, trigger: triggerCharacter }, token),
        more(document, position),
      ]);
      if (found === undefined) return others;
      const labels = new Set(found.items.map(({ label }) => label));
      return new vscode.CompletionList(
        [
          ...found.items.map((completion) => remember(completionItem(completion), at, completion.data)),
          ...(others?.items ?? []).filter((item) => !labels.has(nameOf(item))),
        ],
        found.isIncomplete || others?.isIncomplete === true,
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

function nameOf({ label }: vscode.CompletionItem): string {
  return typeof label === 'string' ? label : label.label;
}

const origins = new WeakMap<vscode.CompletionItem, CellPosition & { readonly data: CompletionData }>();

function remember(item: vscode.CompletionItem, at: CellPosition, data: CompletionData): vscode.CompletionItem {
  origins.set(item, { ...at, data });
  return item;
}
