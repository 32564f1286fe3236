// The texts of the cells that a job runs. What is dropped becomes blanks, so that every line and
// column stays where it is in the notebook.
//
// The ids of operators count the verbs of a cell: a second filter() outside of a variable is
// `cell/_/filter#2`. Where a dropped statement declares an operator that a kept statement counts
// after it, its streams stay and only their display goes:
//
//   orders.filter(a).show();           orders.filter(a);
//   orders.filter(b).to('b');    ─►    orders.filter(b).to('b');
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import type { Pruned } from './prune.ts';
import type { Statement } from './statements.ts';
import { isDisplayCall, isSinkCall, ourType } from './surface-calls.ts';

/** The dropped statements whose streams must stay for the sake of ids behind them. */
export function countedStatements({ kept, dropped }: Pruned, typed: TypedModule): readonly Statement[] {
  const later = kept.map(({ statement }) => statement).filter(isWithoutVariable);
  return dropped.flatMap(({ statement }) => {
    if (!isWithoutVariable(statement)) return [];
    const own = verbsOf(statement, typed);
    const isCounted = later.some(
      (other) =>
        other.cell === statement.cell &&
        other.start > statement.start &&
        [...verbsOf(other, typed)].some((verb) => own.has(verb)),
    );
    return isCounted ? [statement] : [];
  });
}

/** Its operators have no variable in their ids. */
function isWithoutVariable({ node }: Statement): boolean {
  return !ts.isVariableStatement(node) && !ts.isImportDeclaration(node) && !ts.isFunctionDeclaration(node);
}
function verbsOf({ node }: Statement, typed: TypedModule): ReadonlySet<string> {
  const verbs = evaluatedNodes(node, typed.checker).flatMap((one) =>
    ts.isCallExpression(one) && !isDisplayCall(one, typed) ? (ourCallee(one, typed) ?? []) : [],
  );
  return new Set(verbs);
}

/**
 * The expressions of a dropped statement that declare its operators. undefined: a loop or a
 * function declares some, so they cannot stay alone.
 */
export function streamExpressions(statement: Statement, typed: TypedModule): readonly ts.Expression[] | undefined {
  const found: ts.Expression[] = [];
  let isWhole = true;
  const visit = (node: ts.Node): void => {
    if (ts.isExpression(node) && isStream(node, typed) && declares(node, typed)) {
      found.push(node);
      return;
    }
    const isRepeated = ts.isFunctionLike(node) || ts.isIterationStatement(node, false) || ts.isIfStatement(node);
    if (isRepeated && declares(node, typed)) isWhole = false;
    else ts.forEachChild(node, visit);
  };
  visit(statement.node);
  return isWhole ? found : undefined;
}
function isStream(node: ts.Expression, typed: TypedModule): boolean {
  const type = typed.checker.getTypeAtLocation(node);
  if (type.getCallSignatures().length > 0) return false;
  const name = ourType(type, typed);
  return name !== undefined && name !== 'Display' && name !== 'Sink';
}
function declares(node: ts.Node, typed: TypedModule): boolean {
  return evaluatedNodes(node, typed.checker).some(
    (one) => ts.isCallExpression(one) && ourCallee(one, typed) !== undefined && !isDisplayCall(one, typed),
  );
}

/** The code cells of the job that have something left, in document order. */
export function prunedCells(
  { kept, dropped }: Pruned,
  counted: ReadonlySet<Statement>,
  typed: TypedModule,
): readonly ModuleCell[] {
  const { module } = typed;
  const texts = module.cells.map(({ text }) => text);
  for (const { statement } of dropped) {
    const from = module.toModule({ cell: statement.cell, offset: 0 });
    const keeps = counted.has(statement) ? (streamExpressions(statement, typed) ?? []) : [];
    const ranges = keeps.map((node) => [node.getStart(typed.source) - from, node.end - from] as const);
    texts[statement.cell] = blanked(texts[statement.cell]!, [statement.start - from, statement.end - from], ranges);
  }
  const last = new Map(kept.map(({ statement }) => [statement.cell, statement.node]));
  return module.cells.flatMap((cell, index) => {
    const node = last.get(index);
    if (!node) return [];
    // A cell shows the value of its last expression, and a job shows nothing.
    const isShown = ts.isExpressionStatement(node) && !isSinkCall(node.expression, typed);
    return [{ ...cell, text: isShown ? `${texts[index]!}\nvoid 0;` : texts[index]! }];
  });
}

type Range = readonly [start: number, end: number];

/** Line breaks stay. What is kept becomes statements of its own. */
function blanked(text: string, [start, end]: Range, keeps: readonly Range[]): string {
  const characters = [...text.slice(start, end).replace(/[^\r\n]/g, ' ')];
  const put = (at: number, character: string): void => {
    if (at >= start && at < end && characters[at - start] === ' ') characters[at - start] = character;
  };
  for (const [from, to] of keeps) {
    for (let at = from; at < to; at++) characters[at - start] = text[at]!;
    put(from - 1, ';');
    put(to, ';');
  }
  return text.slice(0, start) + characters.join('') + text.slice(end);
}
