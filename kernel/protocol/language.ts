// What the editor and the language server say to each other: JSON-RPC 2.0 over the server's stdin and stdout. Types only.
//
//   client: open {notebook, cells} ─► update {version, changed texts} ─► … ─► close            server: diagnostics {version, …} when it has come to rest
//
// Cells go by a key of the client's choice (the URI of their document): ids can be duplicate while somebody types. Lines and characters are
// zero-based UTF-16, as in VS Code; a line ends with '\n', '\r\n' or '\r'.
import type { CellKind } from './marker-line.ts';

export interface LanguagePosition {
  readonly line: number;
  readonly character: number;
}
export interface LanguageRange {
  readonly start: LanguagePosition;
  readonly end: LanguagePosition;
}

export interface LanguageCell {
  readonly key: string;
  /** The id that messages name. */
  readonly id: string;
  readonly kind: CellKind;
  /** Absent: the text of this key has not changed since the last update. */
  readonly text?: string;
}
export interface NotebookUpdate {
  /** Absolute path of the notebook; imports resolve from its folder. */
  readonly notebook: string;
  /** Grows with every update; diagnostics carry it back. */
  readonly version: number;
  /** All cells in document order, prose too. */
  readonly cells: readonly LanguageCell[];
}

export interface CellPosition {
  readonly notebook: string;
  readonly cell: string;
  readonly position: LanguagePosition;
}
export interface CellEdit {
  readonly range: LanguageRange;
  readonly newText: string;
}

/** Words for what a completion is; the client has a picture for each. */
export type CompletionKind =
  | 'variable'
  | 'constant'
  | 'function'
  | 'method'
  | 'property'
  | 'class'
  | 'interface'
  | 'type'
  | 'enum'
  | 'enum-member'
  | 'module'
  | 'keyword'
  | 'text'
  | 'file';

export interface Completion {
  readonly label: string;
  readonly kind: CompletionKind;
  readonly sortText: string;
  readonly insertText?: string;
  readonly filterText?: string;
  /** What is replaced; absent: the word at the position. */
  readonly range?: LanguageRange;
  /** Shown greyed beside the label: where it would be imported from. */
  readonly from?: string;
  /** Given back to `resolve`. */
  readonly data: CompletionData;
}
export interface CompletionData {
  readonly name: string;
  /** Accepting the completion imports it from here. */
  readonly importFrom?: string;
}
export interface CompletionList {
  readonly isIncomplete: boolean;
  readonly items: readonly Completion[];
}
export interface CompletionDetails {
  /** The declaration in TypeScript. */
  readonly detail: string;
  /** Markdown. */
  readonly documentation: string;
  /** Imports that accepting it adds, in the cell where it is accepted: no other one is edited unseen. */
  readonly edits: readonly CellEdit[];
}
export interface Hover {
  readonly range: LanguageRange;
  /** TypeScript text. */
  readonly display: string;
  /** Markdown. */
  readonly documentation: string;
}
export interface SignatureHelp {
  readonly signatures: readonly {
    readonly label: string;
    readonly documentation: string;
    /** Start and end of each parameter in the label. */
    readonly parameters: readonly { readonly label: readonly [number, number]; readonly documentation: string }[];
  }[];
  readonly activeSignature: number;
  readonly activeParameter: number;
}
/** A place in a cell, or in a file (by its URL). */
export type Definition =
  { readonly cell: string; readonly range: LanguageRange } | { readonly file: string; readonly range: LanguageRange };

export interface LanguageDiagnostic {
  readonly range: LanguageRange;
  readonly message: string;
  /** 'syntax', 'duplicate-name', …; TypeScript's own as "ts2345". */
  readonly code: string;
  /** Errors keep the cell from running; warnings are advice. */
  readonly severity: 'error' | 'warning';
}
export interface NotebookDiagnostics {
  readonly notebook: string;
  readonly version: number;
  /** Of every cell, empty lists too: they replace what was said before. */
  readonly cells: readonly { readonly cell: string; readonly diagnostics: readonly LanguageDiagnostic[] }[];
}

/** By method name: parameters and result. All can be cancelled. */
export interface LanguageRequests {
  completion: { params: CellPosition & { readonly trigger?: string }; result: CompletionList };
  resolve: { params: CellPosition & { readonly data: CompletionData }; result: CompletionDetails | null };
  hover: { params: CellPosition; result: Hover | null };
  signature: { params: CellPosition; result: SignatureHelp | null };
  definition: { params: CellPosition; result: readonly Definition[] };
}
/** Notifications from the client. */
export interface LanguageNotifications {
  open: NotebookUpdate;
  update: NotebookUpdate;
  close: { readonly notebook: string };
  /** The notebook has another path now. */
  rename: { readonly from: string; readonly to: string };
}
/** Notifications from the server. */
export interface LanguageEvents {
  diagnostics: NotebookDiagnostics;
}
