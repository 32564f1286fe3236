// Converts the language server's answers to the editor's own types.
import * as vscode from 'vscode';
import type {
  Completion,
  CompletionKind,
  Definition,
  Hover,
  LanguageDiagnostic,
  LanguageRange,
  SignatureHelp,
} from '../../kernel/protocol/language.ts';

export const range = ({ start, end }: LanguageRange): vscode.Range =>
  new vscode.Range(start.line, start.character, end.line, end.character);

const kinds: Readonly<Record<CompletionKind, vscode.CompletionItemKind>> = {
  variable: vscode.CompletionItemKind.Variable,
  constant: vscode.CompletionItemKind.Constant,
  function: vscode.CompletionItemKind.Function,
  method: vscode.CompletionItemKind.Method,
  property: vscode.CompletionItemKind.Property,
  class: vscode.CompletionItemKind.Class,
  interface: vscode.CompletionItemKind.Interface,
  type: vscode.CompletionItemKind.TypeParameter,
  enum: vscode.CompletionItemKind.Enum,
  'enum-member': vscode.CompletionItemKind.EnumMember,
  module: vscode.CompletionItemKind.Module,
  keyword: vscode.CompletionItemKind.Keyword,
  text: vscode.CompletionItemKind.Text,
  file: vscode.CompletionItemKind.File,
};

export function completionItem(completion: Completion): vscode.CompletionItem {
  const label =
    completion.from === undefined ? completion.label : { label: completion.label, description: completion.from };
  const item = new vscode.CompletionItem(label, kinds[completion.kind]);
  item.sortText = completion.sortText;
  if (completion.insertText !== undefined) item.insertText = completion.insertText;
  if (completion.range !== undefined) item.range = range(completion.range);
  return item;
}

export function hover({ display, documentation, range: at }: Hover): vscode.Hover {
  const text = new vscode.MarkdownString();
  text.appendCodeblock(display, 'typescript');
  if (documentation !== '') text.appendMarkdown(documentation);
  return new vscode.Hover(text, range(at));
}

export function signatureHelp(help: SignatureHelp): vscode.SignatureHelp {
  const result = new vscode.SignatureHelp();
  result.activeSignature = help.activeSignature;
  result.activeParameter = help.activeParameter;
  result.signatures = help.signatures.map(({ label, documentation, parameters }) => {
    const signature = new vscode.SignatureInformation(label, new vscode.MarkdownString(documentation));
    signature.parameters = parameters.map(
      (parameter) =>
        new vscode.ParameterInformation([...parameter.label], new vscode.MarkdownString(parameter.documentation)),
    );
    return signature;
  });
  return result;
}

export function location(definition: Definition): vscode.Location {
  // Both are URLs.
  const uri = 'cell' in definition ? definition.cell : definition.file;
  return new vscode.Location(vscode.Uri.parse(uri), range(definition.range));
}

const severities = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
} as const;

export function diagnostic({ range: at, message, code, severity }: LanguageDiagnostic): vscode.Diagnostic {
  const result = new vscode.Diagnostic(range(at), message, severities[severity]);
  result.source = 'sluice';
  result.code = code;
  return result;
}
