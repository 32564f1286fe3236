// Evaluates the constants of an export in a thread, and ends it when a statement does not end. So
// neither an endless loop nor an endless `await` stops `sluice check` and `sluice export`.
import { Worker } from 'node:worker_threads';
import ts from 'typescript';
import type { CellDiagnostic } from '../cells/compile.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import { messageOf } from '../../engine/errors/thrown.ts';
import { type ConstantFault, type ConstantValues, type EvaluatedConstants, placedFault } from './constant-values.ts';
import type { Constants } from './constants.ts';
import { type ConstantsEvent, type ConstantsOrder, constantsRole } from './constants-role.ts';
import { orderedCells } from './ordered-cells.ts';

/** Of one statement. The time in which the thread starts does not count. */
export const usualMillis = 30_000;
/** In milliseconds. */
type Limit = (statement: Place) => number;

/** `notebook`: its absolute path. It runs code of the notebook. */
export async function constantValues(
  notebook: string,
  { constants }: { readonly constants: Constants },
  limit: Limit = () => usualMillis,
): Promise<ConstantValues> {
  const { byCell, values, faults } = await constantsInThread(notebook, constants, limit);
  return { byCell, values, problems: faults.map((fault) => placedFault(fault, constants.captured)) };
}

export async function constantsInThread(
  notebook: string,
  { cells, captured }: Constants,
  limit: Limit,
): Promise<EvaluatedConstants> {
  if (captured.length === 0) return { byCell: new Map(), values: new Map(), faults: [] };
  const order: ConstantsOrder = {
    ...{ kind: constantsRole, notebook, captured },
    cells: await orderedCells(notebook, cells),
  };
  const worker = new Worker(entryFile(), { workerData: order, name: 'sluice constants', execArgv: [] });
  let timer: NodeJS.Timeout | undefined;
  let at: Place = { cell: order.cells[0]!.cell, names: '' };
  try {
    return await new Promise((resolve, reject) => {
      const isStuck = (why: string, code = 'not-evaluated'): void =>
        resolve({ byCell: new Map(), values: new Map(), faults: [stuckFault(at, { code, why }, cells)] });
      worker.on('message', (event: ConstantsEvent) => {
        clearTimeout(timer);
        if (event.kind === 'found') return resolve(event.found);
        if (event.kind === 'failed') return reject(event.error);
        at = event;
        const millis = limit(event);
        timer = setTimeout(() => isStuck(`it had not ended after ${millis / 1000} s`), millis);
      });
      let cause: unknown;
      worker.on('error', (error: unknown) => (cause = error));
      // All messages of the thread have come before its end.
      worker.on('exit', (code) => {
        const by = cause === undefined ? `with code ${code}` : `by an error: ${messageOf(cause)}`;
        if (isOutOfMemory(cause)) isStuck('there is not enough memory for it', outOfMemory);
        else isStuck(`it ended the thread ${by}`);
      });
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** The code of a fault: more memory may be enough. */
export const outOfMemory = 'not-enough-memory';
function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** A bundle contains all roles in one file. */
function entryFile(): string | URL {
  const self = import.meta.filename;
  return self.endsWith('.ts') ? new URL('constants-main.ts', import.meta.url) : self;
}

interface Place {
  readonly cell: string;
  readonly names: string;
}
function stuckFault(
  { cell, names }: Place,
  { code, why }: { readonly code: string; readonly why: string },
  cells: readonly ModuleCell[],
): ConstantFault {
  const [name] = names.split(',');
  const what = name ? `${names.replaceAll(',', ', ')} of cell "${cell}"` : `a statement of cell "${cell}"`;
  const message = `The export evaluates ${what}, and ${why}. Give the value as a param(), or compute it in a function that runs in the job.`;
  const text = cells.find(({ id }) => id === cell)?.text ?? '';
  return { cell, problem: { cell, severity: 'error', code, message, ...placeIn(text, name) } };
}
function placeIn(
  text: string,
  name: string | undefined,
): Pick<CellDiagnostic, 'offset' | 'length' | 'line' | 'column'> {
  const source = ts.createSourceFile('cell.ts', text, ts.ScriptTarget.Latest);
  const found = name ? identifierNamed(source, name, source) : undefined;
  if (!found) return { offset: 0, length: 0, line: 1, column: 1 };
  const offset = found.getStart(source);
  const { line, character } = source.getLineAndCharacterOfPosition(offset);
  return { offset, length: found.text.length, line: line + 1, column: character + 1 };
}
/** The first one that is the name of a declaration. */
function identifierNamed(node: ts.Node, name: string, source: ts.SourceFile): ts.Identifier | undefined {
  return ts.forEachChild(node, (child) => {
    const isDeclared = ts.isVariableDeclaration(node) || ts.isBindingElement(node);
    if (isDeclared && node.name === child && ts.isIdentifier(child) && child.text === name) return child;
    return identifierNamed(child, name, source);
  });
}
