// `sluice check`: reports all problems of a notebook that can be found without running it.
// Warnings of the language service in VS Code are errors here, as they are for a compiler.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { identify } from '../protocol/cell-identity.ts';
import { decodeBytes, encode, NotebookFileError, parseNotebook, serializeNotebook } from '../protocol/notebook-file.ts';
import { diagnostic, type CellDiagnostic } from './compile.ts';
import { NotebookLanguageService, type TypedModule } from './language-service.ts';
import { linesOutOfPlace } from './lines-out-of-place.ts';
import { joinedCells } from './missing-semicolon.ts';
import { capturedAssignments, usesBeforeDefinition } from './scope.ts';
import type { ModuleCell } from './virtual-module.ts';

export interface CheckOptions {
  /** Folder of TypeScript's `lib.*.d.ts` files. Absent: they are searched in their usual places. */
  readonly libFolder?: string;
  /** Looks at the notebook with its types. What it finds stands among the problems of the cells. */
  readonly inspect?: (typed: TypedModule) => readonly CellDiagnostic[];
}

/**
 * Problems in document order. `cell` is '' for a problem of the file itself. Throws if the file
 * cannot be read.
 */
export function checkNotebook(path: string, options: CheckOptions = {}): CellDiagnostic[] {
  const notebook = resolve(path);
  const bytes = readFileSync(notebook);
  let text: string;
  try {
    text = decodeBytes(bytes);
  } catch (error) {
    if (error instanceof NotebookFileError) return [aboutFile(error.code, error.message)];
    throw error;
  }
  const parsed = parseNotebook(text);
  const identities = identify(parsed);
  const cells = parsed.map(({ kind, text }, i): ModuleCell => ({ id: identities[i]!.id, kind, text }));
  const found: CellDiagnostic[] = [];
  if (Buffer.compare(encode(serializeNotebook(parsed)), bytes) !== 0)
    found.push(aboutFile('not-stable', 'Saving this notebook would change it although nothing was edited.'));
  if (!isModule(cells))
    found.push({
      ...aboutFile(
        'no-module',
        'This notebook neither imports nor exports anything, so TypeScript reads it as a script: its names clash with those of other files, and it cannot use await at its top level. Add: export {};',
      ),
      severity: 'warning',
    });

  const service = new NotebookLanguageService({ notebook, ...options });
  service.update(cells);
  const byCell = service.diagnostics();
  const typed = service.typed();
  const inspected = Map.groupBy(options.inspect?.(typed) ?? [], ({ cell }) => cell);
  const { resolution } = typed;
  service.dispose();
  for (const [i, { id, problem }] of identities.entries())
    if (problem === 'invalid')
      byCell[i]!.push(
        diagnostic(id, service.module.lines(i), {
          offset: 0,
          length: 0,
          code: 'invalid-id',
          message: `"${id}" is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _.`,
        }),
      );
  for (const { cell, code, offset, length, message } of [
    ...capturedAssignments(resolution),
    ...usesBeforeDefinition(resolution),
  ])
    byCell[cell]!.push(diagnostic(cells[cell]!.id, resolution.module.lines(cell), { code, offset, length, message }));
  for (const [i, problem] of joinedCells(cells)) byCell[i]!.push(problem);
  const outOfPlace = linesOutOfPlace(
    parsed,
    identities.map(({ id }) => id),
  );
  for (const [i, list] of byCell.entries()) {
    const { id } = cells[i]!;
    const ofCell = [...list.map(asError), ...outOfPlace[i]!, ...(inspected.get(id) ?? [])];
    inspected.delete(id);
    found.push(...ofCell.sort((a, b) => a.offset - b.offset));
  }
  // What belongs to no cell.
  for (const list of inspected.values()) found.push(...list);
  return found;
}

const asError = (found: CellDiagnostic): CellDiagnostic => ({ ...found, severity: 'error' });

function aboutFile(code: string, message: string): CellDiagnostic {
  return { cell: '', code, message, severity: 'error', offset: 0, length: 0, line: 1, column: 1 };
}

function isModule(cells: readonly ModuleCell[]): boolean {
  const code = cells.filter((cell) => cell.kind !== 'markdown');
  if (code.every((cell) => cell.text.trim() === '')) return true;
  return code.some((cell) => ts.isExternalModule(ts.createSourceFile('cell.ts', cell.text, ts.ScriptTarget.ESNext)));
}
