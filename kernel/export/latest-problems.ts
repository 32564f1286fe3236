// Problems of open notebooks that take their time to be found. They are found anew only when what
// they depend on has changed, and one at a time for each notebook.
import type { CellDiagnostic } from '../cells/compile.ts';

interface Search<P> {
  readonly key: string;
  readonly done: Promise<readonly P[]>;
  /** undefined: it is under way. */
  known: readonly P[] | undefined;
}

export class LatestProblems<P = CellDiagnostic> {
  readonly #byNotebook = new Map<string, Search<P>>();

  /** `key`: on what the problems depend. At once, if they are known. */
  problems(notebook: string, key: string, find: () => Promise<readonly P[]>): readonly P[] | Promise<readonly P[]> {
    const former = this.#byNotebook.get(notebook);
    if (former?.key === key) return former.known ?? former.done;
    // The next search begins when the former has ended, and only if it is still wanted.
    const done = (former?.done ?? Promise.resolve([])).then(async () => {
      if (this.#byNotebook.get(notebook) !== search) return [];
      // What cannot be found here is found by the export.
      return (search.known = await find().catch(() => []));
    });
    const search: Search<P> = { key, done, known: undefined };
    this.#byNotebook.set(notebook, search);
    return done;
  }
  forget(notebook: string): void {
    this.#byNotebook.delete(notebook);
  }
}
