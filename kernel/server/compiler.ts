// Adapts `kernel/cells` to the session: compiles one cell among the others, locates its errors, and
// finds its relative modules.
import { CellCompiler as Compiler } from '../cells/compile.ts';
import { relativeModules } from '../cells/relative-modules.ts';
import type { CellScope } from '../session/state.ts';
import type { CellCompiler } from './effects.ts';

export function notebookCompiler(notebook: () => string): CellCompiler {
  const compiler = new Compiler();
  return {
    // The compiler does not wait, but the interface is asynchronous so that it can move to a
    // process of its own.
    // eslint-disable-next-line @typescript-eslint/require-await -- see above
    async compile(cells, cell) {
      const compilation = compiler.compile(cell, cells);
      if (!compilation.ok) {
        const [first] = compilation.diagnostics;
        if (!first) throw new Error(`Cell "${cell}" does not compile, and nothing says why.`);
        const { code, message, line, column } = first;
        const text = cells.find(({ id }) => id === cell)?.text;
        return { error: { code, message, cell, line, column, excerpt: text?.split('\n')[line - 1] } };
      }
      const { compiled, scopes } = compilation;
      const others = scopes
        .filter(({ id }) => id !== cell)
        .map(({ id, declares, uses }): readonly [string, CellScope] => [
          id,
          {
            declares: declares.filter(({ isValue }) => isValue).map(({ name }) => name),
            uses: uses.map(({ name }) => name),
          },
        ]);
      return {
        code: compiled.code,
        scope: { declares: compiled.declares, uses: compiled.uses.map(({ name }) => name) },
        others: Object.fromEntries(others),
        modules: relativeModules(notebook(), compiled.imports),
      };
    },
  };
}
