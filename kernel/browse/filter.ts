// A peek's filter: a TypeScript expression on `record`, `key` and `meta`. It runs in a context of
// its own, many records at a time, and a time limit ends a loop without end. The expression is the
// user's, so the context separates and does not protect.
import { createContext, Script, type Context } from 'node:vm';
import type { ModuleKind, ScriptTarget } from 'typescript';

export interface FilteredRecord {
  readonly record: unknown;
  readonly key: unknown;
  readonly meta: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    /** Epoch milliseconds. */
    readonly timestamp: number;
    readonly headers: Readonly<Record<string, unknown>>;
  };
}
export interface Filtered {
  /** Whether each record matches. */
  readonly matches: readonly boolean[];
  /** The first record at which the expression threw, and why. */
  readonly failed?: { readonly at: number; readonly reason: string };
}
export type Filter = (records: readonly FilteredRecord[]) => Filtered;

const limitMillis = 1_000;

/** The text is no expression, or it takes too long. The message is for the user. */
export class FilterProblem extends Error {}

/** Throws FilterProblem. */
export async function compileFilter(text: string): Promise<Filter> {
  const script = scriptOf(loopOver(await javaScriptOf(text)));
  const context: Context = createContext({ console: undefined, records: [] });
  return (records) => {
    context['records'] = records;
    try {
      const { matches, failed } = script.runInContext(context, { timeout: limitMillis }) as Filtered;
      // Copies, because objects of another context are foreign to everything here.
      return { matches: Array.from(matches), ...(failed && { failed: { ...failed } }) };
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new FilterProblem(
        `The filter took more than ${limitMillis / 1000} s for ${records.length} records, so it was stopped. Make it simpler.`,
      );
    } finally {
      context['records'] = [];
    }
  };
}

function scriptOf(source: string): Script {
  try {
    return new Script(source, { filename: 'filter' });
  } catch (error) {
    // TypeScript allows more than a script does: `await` at the top, for example.
    throw noExpression((error as Error).message);
  }
}
function noExpression(reason: string): FilterProblem {
  return new FilterProblem(
    `The filter is no TypeScript expression: ${reason.replace(/\.$/, '')}. Write one such as record.amount > 100.`,
  );
}

/** A module needs no "use strict" before its first statement. */
const before = 'export default ';

/** The expression as JavaScript, in parentheses. */
async function javaScriptOf(text: string): Promise<string> {
  // TypeScript is large, and a service without a filter does not need it.
  const { default: ts } = await import('typescript');
  const source = `${before}(\n${text}\n);`;
  const file = ts.createSourceFile('filter.ts', source, ts.ScriptTarget.Latest, true);
  const [statement] = file.statements;
  const isOneExpression =
    file.statements.length === 1 &&
    statement !== undefined &&
    ts.isExportAssignment(statement) &&
    ts.isParenthesizedExpression(statement.expression);
  const target: ScriptTarget = ts.ScriptTarget.ES2022;
  const module: ModuleKind = ts.ModuleKind.ESNext;
  const { outputText, diagnostics } = ts.transpileModule(source, {
    reportDiagnostics: true,
    compilerOptions: { target, module },
  });
  const [first] = diagnostics ?? [];
  if (first !== undefined || !isOneExpression) {
    throw noExpression(
      first ? ts.flattenDiagnosticMessageText(first.messageText, ' ') : 'it is more than one expression',
    );
  }
  return outputText.trim().slice(before.length).replace(/;$/, '');
}

function loopOver(expression: string): string {
  return `(() => {
    const matches = [];
    let failed;
    records.forEach(({ record, key, meta }, at) => {
      let isMatch = false;
      try {
        isMatch = Boolean(${expression});
      } catch (error) {
        failed ??= { at, reason: String(error?.message ?? error) };
      }
      matches.push(isMatch);
    });
    return { matches, failed };
  })()`;
}
