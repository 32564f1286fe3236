// The top-level statements of a notebook's code cells, with the names that each declares and uses.
// A job keeps or drops whole statements.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import type { Declared, Reference } from '../cells/resolution.ts';

export interface Statement {
  /** Index of the cell in the module. */
  readonly cell: number;
  /** Of the typed module, so that the checker knows it. */
  readonly node: ts.Statement;
  /** Offsets in the module, without comments before the statement. */
  readonly start: number;
  readonly end: number;
  readonly declares: readonly Declared[];
  /** Values of the notebook, with each place. */
  readonly uses: readonly Use[];
}
export interface Use {
  readonly declared: Declared;
  readonly reference: Reference;
  /** Offset in the module. */
  readonly offset: number;
}

/** In the order of the document. */
export function statementsOf({ source, module, resolution }: TypedModule): readonly Statement[] {
  const declared = resolution.declared.map((entry) => ({ entry, offset: module.toModule(entry.at) }));
  const uses = resolution.references.flatMap((reference): Use[] =>
    reference.declared ? [{ declared: reference.declared, reference, offset: module.toModule(reference.at) }] : [],
  );
  return source.statements.flatMap((node): Statement[] => {
    const start = node.getStart(source);
    const place = module.toCell(start);
    if (ts.isEmptyStatement(node) || !place || module.cells[place.cell]?.kind !== 'code') return [];
    const { end } = node;
    const isHere = ({ offset }: { readonly offset: number }): boolean => offset >= start && offset < end;
    return [
      {
        ...{ cell: place.cell, node, start, end },
        declares: declared.filter(isHere).map(({ entry }) => entry),
        uses: uses.filter(isHere),
      },
    ];
  });
}

/** The statement that declares each name. */
export function ownersOf(statements: readonly Statement[]): ReadonlyMap<Declared, Statement> {
  return new Map(statements.flatMap((one) => one.declares.map((declared) => [declared, one] as const)));
}

/** The name of a statement for people: what it declares, or the beginning of its text. */
export function statementText({ node }: Statement): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
