// Shows the kernel's errors of a cell in the Problems panel, at the cell's own lines.
// An error that the language server also reports is shown once.
import * as vscode from 'vscode';
import { identities } from '../notebook/cell-ids.ts';
import type { LiveNotebook } from './live-notebook.ts';

export function showProblems(
  collection: vscode.DiagnosticCollection,
  advice: vscode.DiagnosticCollection,
  live: LiveNotebook,
): void {
  for (const [cell, { id, problem }] of identities(live.notebook)) {
    const known = advice.get(cell.document.uri) ?? [];
    const errors = (problem === undefined ? (live.stateOf(id)?.errors ?? []) : []).filter(
      (error) => !known.some((other) => other.message === error.message),
    );
    collection.set(
      cell.document.uri,
      errors.map((error) => {
        const diagnostic = new vscode.Diagnostic(
          rangeOf(cell.document, error.line, error.column),
          error.message,
          vscode.DiagnosticSeverity.Error,
        );
        diagnostic.source = 'sluice';
        diagnostic.code = error.code;
        return diagnostic;
      }),
    );
  }
}

/**
 * The word at a one-based position, or the line if no word is there. Without a position it is the
 * first line that does something.
 */
function rangeOf(document: vscode.TextDocument, line = firstStatement(document), column = 1): vscode.Range {
  const at = document.validatePosition(new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1)));
  return document.getWordRangeAtPosition(at) ?? document.lineAt(at.line).range;
}

function firstStatement(document: vscode.TextDocument): number {
  const lines = document.getText().split('\n');
  const at = lines.findIndex((line) => line.trim() !== '' && !/^\s*(import\b|\/\/|\/\*|\*)/.test(line));
  return at === -1 ? 1 : at + 1;
}
