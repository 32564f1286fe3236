// Sinks that ask for exactly-once while nothing above them has event time. Their rows follow the
// clock, so what a restart reads again gives other rows.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import { ownersOf, type Statement } from './statements.ts';
import { hasOption, isSinkCall, optionTexts } from './surface-calls.ts';

const domains = new Set(['tumbling', 'sliding', 'session', 'customWindow']);
/** A sink has an option of the same name. */
const withTimestamps = new Set(['kafka', 'table', 'from', 'file', 'generate']);

export interface ClockedSink {
  readonly sink: ts.CallExpression;
  /** It asks for exactly-once in any case. False: `delivery` is chosen when the job starts. */
  readonly isSure: boolean;
}

/** The sinks of kept statements. */
export function clockedSinks(kept: readonly Statement[], typed: TypedModule): readonly ClockedSink[] {
  const owner = ownersOf(kept);
  const nodes = new Map(kept.map((one) => [one, evaluatedNodes(one.node, typed.checker)] as const));
  const above = (statement: Statement): ReadonlySet<Statement> => {
    const seen = new Set([statement]);
    for (const one of seen)
      for (const { declared } of one.uses) {
        const definition = owner.get(declared);
        if (definition) seen.add(definition);
      }
    return seen;
  };
  return kept.flatMap((statement) => {
    const sinks = nodes.get(statement)!.filter((node) => isSinkCall(node, typed));
    const asking = sinks.flatMap((sink): ClockedSink[] => {
      const texts = optionTexts(sink, 'delivery', typed);
      const mayAsk = texts?.includes('exactly-once') ?? true;
      return mayAsk ? [{ sink, isSure: texts?.length === 1 }] : [];
    });
    if (asking.length === 0) return [];
    const calls = [...above(statement)].flatMap((one) => nodes.get(one)!.filter((node) => ts.isCallExpression(node)));
    return isClocked(calls, typed) ? asking : [];
  });
}

/** Something follows the clock, and nothing has event time. */
function isClocked(calls: readonly ts.CallExpression[], typed: TypedModule): boolean {
  let isOnClock = false;
  for (const call of calls) {
    const verb = ourCallee(call, typed);
    if (verb === undefined) continue;
    const isWindow = domains.has(verb);
    if (isWindow && optionTexts(call, 'time', typed)?.includes('processing') === true) isOnClock = true;
    else if (isWindow) return false;
    if (verb === 'processingTime') isOnClock = true;
    if (verb === 'assignTimestamps' || verb === 'intervalJoin') return false;
    if (withTimestamps.has(verb) && hasOption(call, 'timestamp', typed)) return false;
  }
  return isOnClock;
}
