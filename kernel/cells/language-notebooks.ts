// The open notebooks of a language server. Requests name a cell key and a line; the service works
// with cells and offsets.
// Diagnostics are computed after the user has stopped typing.
//
//   update ─► (texts are stored at once) ─ 250 ms without an update ─► diagnostics, cell by cell
//   A newer update cancels the pending check.
import { pathToFileURL } from 'node:url';
import type { CancellationToken, MessageConnection } from 'vscode-jsonrpc/node.js';
import ts from 'typescript';
import type {
  CellEdit,
  CellPosition,
  Completion,
  Definition,
  ExportPreview,
  ExportTarget,
  LanguageCell,
  LanguageEvents,
  LanguageNotifications,
  LanguagePosition,
  LanguageRange,
  LanguageRequests,
  NotebookDiagnostics,
  NotebookUpdate,
  SignatureHelp,
} from '../protocol/language.ts';
import type { CellDiagnostic } from './compile.ts';
import {
  NotebookLanguageService,
  type CellRange,
  type LanguageServiceOptions,
  type TypedModule,
} from './language-service.ts';
import { TextLines } from './text-lines.ts';
import type { CellOffset, ModuleCell } from './virtual-module.ts';

/** What an export says of a notebook. `kernel/export` imports this folder, so it is handed in. */
export interface NotebookExport {
  /** Of a notebook with a sink. What keeps it from being a job is a warning: its cells run. */
  problems(notebook: string, target: JobTarget, typed: TypedModule): ProblemsOfExport;
  preview(notebook: string, target: JobTarget, service: NotebookLanguageService): Promise<ExportPreview>;
  forget(notebook: string): void;
}
export interface ProblemsOfExport {
  readonly known: readonly ExportProblem[];
  /** More of them, which take their time. */
  readonly coming?: Promise<readonly ExportProblem[]>;
}
export type JobTarget = Exclude<ExportTarget, 'none'>;
export type ExportProblem = Omit<CellDiagnostic, 'severity'> & { readonly severity: 'warning' | 'information' };

const restMillis = 250;

interface OpenNotebook {
  readonly service: NotebookLanguageService;
  readonly keys: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
  readonly version: number;
  timer: NodeJS.Timeout | undefined;
}

export class LanguageNotebooks {
  readonly #connection: MessageConnection;
  readonly #options: Pick<LanguageServiceOptions, 'libFolder'>;
  readonly #open = new Map<string, OpenNotebook>();
  readonly #export: NotebookExport | undefined;
  #target: ExportTarget = 'none';

  constructor(
    connection: MessageConnection,
    options: Pick<LanguageServiceOptions, 'libFolder'> = {},
    notebookExport?: NotebookExport,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#export = notebookExport;
    this.#onNotification('open', (update) => this.#update(update));
    this.#onNotification('update', (update) => this.#update(update));
    this.#onNotification('close', ({ notebook }) => this.#close(notebook));
    this.#onNotification('rename', ({ from, to }) => this.#rename(from, to));
    this.#onNotification('declarations', () => this.#checkAll());
    this.#onNotification('target', ({ target }) => {
      this.#target = target;
      this.#checkAll();
    });
    connection.onRequest('preview', ({ notebook, target }: LanguageRequests['preview']['params']) => {
      const open = this.#open.get(notebook);
      return open && this.#export ? this.#export.preview(notebook, target, open.service) : null;
    });
    this.#onRequest('completion', (open, at, { trigger }) => ({
      isIncomplete: false,
      items: open.service
        .completions(at, trigger)
        .map(({ name, kind, sortText, insertText, range, from, data }): Completion => ({
          label: name,
          kind,
          sortText,
          data,
          ...(insertText === undefined ? {} : { insertText }),
          ...(range === undefined ? {} : { range: rangeOf(open, range) }),
          ...(from === undefined ? {} : { from }),
        })),
    }));
    this.#onRequest('resolve', (open, at, { data }) => {
      const details = open.service.details(at, data);
      if (details === undefined) return null;
      const edits = details.edits.map(({ newText, ...range }): CellEdit => ({
        range: rangeOf(open, range),
        newText,
      }));
      return { ...details, edits };
    });
    this.#onRequest('hover', (open, at) => {
      const hover = open.service.hover(at);
      return hover === undefined ? null : { ...hover, range: rangeOf(open, hover.range) };
    });
    this.#onRequest('signature', (open, at) => {
      const help = open.service.signature(at);
      return help === undefined ? null : signatureHelp(help);
    });
    this.#onRequest('definition', (open, at) =>
      open.service.definition(at).map((place): Definition => {
        if (!('file' in place)) return { cell: open.keys[place.cell]!, range: rangeOf(open, place) };
        const lines = new TextLines(open.service.textOf(place.file));
        return { file: pathToFileURL(place.file).href, range: rangeIn(lines, place.start, place.end) };
      }),
    );
  }

  // ------------------------------------------------------------------------------------- notebooks

  #update({ notebook, version, cells }: NotebookUpdate): void {
    const former = this.#open.get(notebook);
    if (former !== undefined) clearTimeout(former.timer);
    const texts = new Map(cells.map((cell) => [cell.key, textOf(cell, former)]));
    const service = former?.service ?? new NotebookLanguageService({ notebook, ...this.#options });
    service.update(cells.map(({ key, id, kind }): ModuleCell => ({ id, kind, text: texts.get(key) ?? '' })));
    const open: OpenNotebook = { service, keys: cells.map(({ key }) => key), texts, version, timer: undefined };
    this.#open.set(notebook, open);
    // The first check starts at once, because the user is not typing yet.
    this.#checkAfter(notebook, open, former === undefined ? 0 : restMillis);
  }
  #checkAll(): void {
    for (const [notebook, open] of this.#open) this.#checkAfter(notebook, open, 0);
  }
  #checkAfter(notebook: string, open: OpenNotebook, millis: number): void {
    clearTimeout(open.timer);
    open.timer = setTimeout(() => this.#check(notebook, open), millis);
  }

  #check(notebook: string, open: OpenNotebook): void {
    if (this.#open.get(notebook) !== open) return;
    const found = open.service.diagnostics();
    const typed = open.service.typed();
    // A cell that cannot run is to be corrected first.
    const canRun = found.every((cell) => cell.every(({ severity }) => severity !== 'error'));
    const target = canRun ? this.#target : 'none';
    const ofExport = target === 'none' ? undefined : this.#export?.problems(notebook, target, typed);
    const say = (problems: readonly ExportProblem[]): void => this.#sayDiagnostics(notebook, open, found, problems);
    const known = ofExport?.known ?? [];
    say(known);
    void ofExport?.coming?.then((more) => {
      if (more.length > 0 && this.#open.get(notebook) === open && this.#target === target) say([...known, ...more]);
    });
  }

  #sayDiagnostics(
    notebook: string,
    open: OpenNotebook,
    found: ReturnType<NotebookLanguageService['diagnostics']>,
    ofExport: readonly ExportProblem[],
  ): void {
    const cells = open.keys.map((cell, i): NotebookDiagnostics['cells'][number] => ({
      cell,
      diagnostics: [...found[i]!, ...ofExport.filter((one) => one.cell === open.service.module.cells[i]!.id)].map(
        ({ offset, length, code, message, severity }) => ({
          range: rangeOf(open, { cell: i, start: offset, end: offset + length }),
          code,
          message,
          severity,
        }),
      ),
    }));
    this.#say('diagnostics', { notebook, version: open.version, cells });
  }

  #close(notebook: string): void {
    const open = this.#open.get(notebook);
    if (open === undefined) return;
    clearTimeout(open.timer);
    open.service.dispose();
    this.#open.delete(notebook);
    this.#export?.forget(notebook);
  }

  #rename(from: string, to: string): void {
    const open = this.#open.get(from);
    if (open === undefined) return;
    const { cells } = open.service.module;
    const update = cells.map((cell, i): LanguageCell => ({ ...cell, key: open.keys[i]! }));
    this.#close(from);
    this.#update({ notebook: to, version: open.version, cells: update });
  }

  // -------------------------------------------------------------------------------------- messages

  #onNotification<M extends keyof LanguageNotifications>(
    method: M,
    handle: (parameters: LanguageNotifications[M]) => void,
  ): void {
    this.#connection.onNotification(method, (parameters: LanguageNotifications[M]) => handle(parameters));
  }

  #onRequest<M extends keyof LanguageRequests>(
    method: M,
    answer: (
      open: OpenNotebook,
      at: CellOffset,
      parameters: LanguageRequests[M]['params'],
    ) => LanguageRequests[M]['result'],
  ): void {
    const nothing = method === 'definition' ? [] : method === 'completion' ? { isIncomplete: true, items: [] } : null;
    this.#connection.onRequest(
      method,
      async (parameters: LanguageRequests[M]['params'] & CellPosition, token: CancellationToken) => {
        // The next message in the pipe may cancel this request.
        await new Promise((resolve) => setImmediate(resolve));
        const open = this.#open.get(parameters.notebook);
        const at = open && placeOf(open, parameters);
        if (open === undefined || at === undefined || token.isCancellationRequested) return nothing;
        return answer(open, at, parameters);
      },
    );
  }

  #say<M extends keyof LanguageEvents>(method: M, parameters: LanguageEvents[M]): void {
    void this.#connection.sendNotification(method, parameters);
  }
}

function textOf(cell: LanguageCell, former: OpenNotebook | undefined): string {
  return cell.text ?? former?.texts.get(cell.key) ?? '';
}

// ------------------------------------------------------------------------------------------ places

function placeOf(open: OpenNotebook, { cell, position }: CellPosition): CellOffset | undefined {
  const index = open.keys.indexOf(cell);
  if (index < 0 || open.service.module.cells[index]!.kind === 'markdown') return undefined;
  const lines = open.service.module.lines(index);
  return { cell: index, offset: lines.offset({ line: position.line, column: position.character }) };
}

function rangeOf(open: OpenNotebook, { cell, start, end }: CellRange): LanguageRange {
  return rangeIn(open.service.module.lines(cell), start, end);
}
function rangeIn(lines: TextLines, start: number, end: number): LanguageRange {
  return { start: positionIn(lines, start), end: positionIn(lines, end) };
}
function positionIn(lines: TextLines, offset: number): LanguagePosition {
  const { line, column } = lines.position(offset);
  return { line, character: column };
}

function signatureHelp({ items, selectedItemIndex, argumentIndex }: ts.SignatureHelpItems): SignatureHelp {
  const signatures = items.map((item) => {
    let label = ts.displayPartsToString(item.prefixDisplayParts);
    const parameters = item.parameters.map((parameter, i) => {
      if (i > 0) label += ts.displayPartsToString(item.separatorDisplayParts);
      const start = label.length;
      label += ts.displayPartsToString(parameter.displayParts);
      const range = [start, label.length] as const;
      return { label: range, documentation: ts.displayPartsToString(parameter.documentation) };
    });
    label += ts.displayPartsToString(item.suffixDisplayParts);
    return { label, documentation: ts.displayPartsToString(item.documentation), parameters };
  });
  return { signatures, activeSignature: selectedItemIndex, activeParameter: argumentIndex };
}
