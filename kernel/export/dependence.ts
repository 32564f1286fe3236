// On what the value of a constant depends besides the notebook's texts: what its definition reads
// when it is evaluated, and what the statements read that change it afterwards.
import ts from 'typescript';
import { identifierAt } from '../cells/identifier-at.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee, ourSymbol } from '../cells/our-callee.ts';
import type { Declared } from '../cells/resolution.ts';
import { callAround, evaluatedNodes, valueNodes } from './evaluated-nodes.ts';
import { definitionsIn, withModules } from './module-definitions.ts';
import { type Dependence, outerRead } from './outer-reads.ts';
import { mayChange } from './prune.ts';
import { ownersOf, type Statement, type Use } from './statements.ts';
import { ourType } from './surface-calls.ts';

export interface Dependences {
  /** What the user is told. */
  readonly on: readonly Dependence[];
  /**
   * Known only where the job starts: it reads a parameter, the environment, or rows of a stream.
   */
  readonly isOfStart: boolean;
  /** Changes the value by the clock or the like, so each start would change it anew. */
  readonly changer?: Statement;
}

export class DependenceFinder {
  readonly #statements: readonly Statement[];
  readonly #typed: TypedModule;
  readonly #owner: ReadonlyMap<Declared, Statement>;
  /** By its offset in the module. */
  readonly #useAt: ReadonlyMap<number, Use>;

  /** `statements`: those that the job keeps. */
  constructor(statements: readonly Statement[], typed: TypedModule) {
    this.#statements = statements;
    this.#typed = typed;
    this.#owner = ownersOf(statements);
    this.#useAt = new Map(statements.flatMap(({ uses }) => uses.map((use) => [use.offset, use] as const)));
  }

  /** Of the definition, of the definitions that it uses, and of what changes any of them. */
  of(declared: Declared): Dependences {
    const on = new Set<Dependence>();
    let isOfStart = false;
    let changer: Statement | undefined;
    const defining = new Set<ts.Node>();
    const visitNode = (root: ts.Node): void => {
      if (defining.has(root)) return;
      defining.add(root);
      const nodes = evaluatedNodes(root, this.#typed.checker);
      for (const node of nodes) {
        const dependence = outerRead(node, this.#typed.checker);
        if (dependence) on.add(dependence);
        if (this.#readsRows(node)) isOfStart = true;
        // The functions that it calls use names too.
        const used = node.getSourceFile() === this.#typed.source ? this.#useAt.get(node.getStart()) : undefined;
        if (used) visit(used.declared);
      }
      for (const definition of definitionsIn(root, nodes, this.#typed)) visitNode(definition);
    };
    const visit = (one: Declared): void => {
      const statement = this.#owner.get(one);
      if (!statement || defining.has(statement.node)) return;
      visitNode(statement.node);
      for (const other of this.changersOf(one)) {
        const found = evaluatedNodes(other.node, this.#typed.checker).flatMap(
          (node) => outerRead(node, this.#typed.checker) ?? [],
        );
        for (const dependence of found) on.add(dependence);
        if (found.length > 0 && !defining.has(other.node)) changer ??= other;
      }
    };
    visit(declared);
    const ofStart = this.#ofStart(declared);
    if (ofStart.environment) on.add('the environment');
    isOfStart ||= ofStart.environment || ofStart.param;
    return { on: [...on], isOfStart, ...(changer && { changer }) };
  }

  /**
   * All statements that the value can reach by names: definitions, what changes them, and what
   * their functions use, whether they are called or not.
   */
  reach(declared: Declared): ReadonlySet<Statement> {
    const reached = new Set([declared]);
    const found = new Set<Statement>();
    for (const one of reached) {
      const definition = this.#owner.get(one);
      for (const statement of [...(definition ? [definition] : []), ...this.changersOf(one)]) {
        found.add(statement);
        for (const use of statement.uses) reached.add(use.declared);
      }
    }
    return found;
  }

  /**
   * Whether a parameter or the environment is in reach. What is evaluated at an export is written
   * into the job, so a function that may never run counts too: a value must not hide in it.
   */
  #ofStart(declared: Declared): { readonly environment: boolean; readonly param: boolean } {
    const { checker } = this.#typed;
    const found = { environment: false, param: false };
    const statements = [...this.reach(declared)].map(({ node }) => node);
    for (const root of withModules(statements, this.#typed))
      for (const node of valueNodes(root)) {
        if (outerRead(node, checker) === 'the environment') found.environment = true;
        if (ts.isIdentifier(node) && this.#isParam(node)) found.param = true;
      }
    return found;
  }

  /** The statements that may change the value when the cells are evaluated. */
  changersOf(declared: Declared): readonly Statement[] {
    return this.#statements.filter((statement) =>
      statement.uses.some(
        (use) => use.declared === declared && this.#runsNow(use) && mayChange(use, this.#typed) && !declares(statement),
      ),
    );
    function declares(statement: Statement): boolean {
      return statement.declares.includes(declared);
    }
  }

  /** The place is in no function that an operator calls later. */
  #runsNow({ offset }: Use): boolean {
    for (let node: ts.Node | undefined = identifierAt(this.#typed.source, offset); node; node = node.parent)
      if (ts.isFunctionLike(node) && isOfOperator(node, this.#typed)) return false;
    return true;
  }
  #isParam(name: ts.Identifier): boolean {
    return !isInImport(name) && ourSymbol(name, this.#typed) === 'param';
  }
  #readsRows(node: ts.Node): boolean {
    if (ts.isForOfStatement(node) && node.awaitModifier)
      return ourType(this.#typed.checker.getTypeAtLocation(node.expression), this.#typed) !== undefined;
    return ts.isCallExpression(node) && ['toArray', 'get'].includes(ourCallee(node, this.#typed) ?? '');
  }
}

/** The function is an argument of a verb of ours, or a member of one. */
export function isOfOperator(fn: ts.Node, typed: TypedModule): boolean {
  const call = callAround(fn);
  return call !== undefined && ts.isCallExpression(call) && ourCallee(call, typed) !== undefined;
}

function isInImport({ parent }: ts.Node): boolean {
  return ts.isImportSpecifier(parent) || ts.isImportClause(parent);
}
