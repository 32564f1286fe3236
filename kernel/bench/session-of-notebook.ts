// A live session of a notebook with its sinks armed and its checkpoints on disk, until it is
// killed.
//
//     node kernel/bench/session-of-notebook.ts NOTEBOOK STATE PARAMETERS-AS-JSON
import { openCheckpoints } from '../checkpoints/checkpoint-directory.ts';
import { ViewStore } from '../displays/view-store.ts';
import { notebookCompiler } from '../server/compiler.ts';
import { Control } from '../server/control.ts';
import { executorThread } from '../server/executor-thread.ts';
import { readNotebook } from '../terminal/notebook.ts';

const [notebook = '', state = '', given = '{}'] = process.argv.slice(2);
const params = JSON.parse(given) as Record<string, string>;
const { cells } = readNotebook(notebook);
const control = new Control({
  settings: { arming: 'all', attach: 'together', idleMillis: Infinity, params },
  storage: await openCheckpoints(state),
  compiler: notebookCompiler(() => notebook),
  views: new ViewStore(),
  startExecutor: () => executorThread(notebook, { params }),
  ended: () => undefined,
});
control.start();
control.dispatch({ kind: 'sync', cells });
for (const { ok, cell, error } of await control.run(cells.map(({ id }) => id)))
  if (!ok) throw new Error(`${cell}: ${error?.message}`);
