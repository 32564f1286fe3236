// The messages between the editor and the language server: JSON-RPC 2.0 over the server's stdin and
// stdout. Types only.
//
//   client: open {notebook, cells} ─► update {version, changed texts} ─► … ─► close
//   server: diagnostics {version, …} when the user has stopped typing
//
// The client chooses a key for each cell (the URI of its document), because ids can be duplicate
// while the user types. Lines and characters are zero-based UTF-16 positions, as in VS Code. A line
// ends with '\n', '\r\n' or '\r'.
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
  /** The id of the cell in messages to the user. */
  readonly id: string;
  readonly kind: CellKind;
  /** Absent: the text of this key has not changed since the last update. */
  readonly text?: string;
}
export interface NotebookUpdate {
  /** Absolute path of the notebook. Imports resolve from its folder. */
  readonly notebook: string;
  /** Grows with every update. Diagnostics name the version that they belong to. */
  readonly version: number;
  /** All cells in document order, prose included. */
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

/** Kinds of completions. The client has an icon for each. */
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
  /** The range that the completion replaces. Absent: the word at the position. */
  readonly range?: LanguageRange;
  /** Shown in grey beside the label: the module from which the name would be imported. */
  readonly from?: string;
  /** The client passes it to `resolve`. */
  readonly data: CompletionData;
}
export interface CompletionData {
  readonly name: string;
  /** Accepting the completion adds an import from this module. */
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
  /** Imports that accepting the completion adds. They change only the cell where it is accepted. */
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
/** A place in a cell, or in a file (given by its URL). */
export type Definition =
  { readonly cell: string; readonly range: LanguageRange } | { readonly file: string; readonly range: LanguageRange };

export interface LanguageDiagnostic {
  readonly range: LanguageRange;
  readonly message: string;
  /** 'syntax', 'duplicate-name', …; codes of TypeScript are "ts2345". */
  readonly code: string;
  /**
   * An error keeps the cell from running. A warning does not. An information is about an export
   * alone.
   */
  readonly severity: 'error' | 'warning' | 'information';
}
export interface NotebookDiagnostics {
  readonly notebook: string;
  readonly version: number;
  /** One entry for every cell, also for an empty list. They replace the former diagnostics. */
  readonly cells: readonly { readonly cell: string; readonly diagnostics: readonly LanguageDiagnostic[] }[];
}

/** `none`: the editor says nothing of exports. */
export type ExportTarget = 'none' | 'node' | 'flink';
/** A statement or a place, for people. Lines are one-based, in the cell's text. */
export interface PreviewedStatement {
  readonly cell: string;
  readonly line: number;
  readonly text: string;
  /** Why it goes, or stays. */
  readonly because: string;
}
/** What a job would have of the notebook, as its texts are in the editor now. */
export interface ExportPreview {
  readonly goes: readonly PreviewedStatement[];
  readonly stays: readonly PreviewedStatement[];
  /** Values that functions capture. `value`: where the job gets it from. */
  readonly captured: readonly { readonly name: string; readonly cell: string; readonly value: string }[];
  /** Streams and sinks, with the type of their rows. */
  readonly streams: readonly { readonly name: string; readonly verbs: string; readonly rows: string }[];
  /** Files beside the notebook and packages that the job has inside. */
  readonly modules: readonly string[];
  /** Kafka connections by name; '' is the default one. */
  readonly connections: readonly string[];
  readonly problems: readonly {
    /** '': it is about the notebook. */
    readonly cell: string;
    readonly line: number;
    readonly message: string;
    readonly severity: 'error' | 'warning';
  }[];
}

/** Parameters and result by method name. All requests can be cancelled. */
export interface LanguageRequests {
  completion: { params: CellPosition & { readonly trigger?: string }; result: CompletionList };
  resolve: { params: CellPosition & { readonly data: CompletionData }; result: CompletionDetails | null };
  hover: { params: CellPosition; result: Hover | null };
  signature: { params: CellPosition; result: SignatureHelp | null };
  definition: { params: CellPosition; result: readonly Definition[] };
  /** null: the notebook is not open. */
  preview: {
    params: { readonly notebook: string; readonly target: Exclude<ExportTarget, 'none'> };
    result: ExportPreview | null;
  };
}
/** Notifications from the client. */
export interface LanguageNotifications {
  open: NotebookUpdate;
  update: NotebookUpdate;
  close: { readonly notebook: string };
  /** Files in .sluice have changed, and with them the types of topics. */
  declarations: Readonly<Record<string, never>>;
  /** From now on, diagnostics have what keeps a notebook with a sink from being such a job. */
  target: { readonly target: ExportTarget };
  /** The path of the notebook has changed. */
  rename: { readonly from: string; readonly to: string };
}
/** Notifications from the server. */
export interface LanguageEvents {
  diagnostics: NotebookDiagnostics;
}
