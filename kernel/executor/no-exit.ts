// `process.exit` in user code would end the thread of all cells, and nobody would know which cell
// it was. Here it is an error of the code that calls it.
import { syncBuiltinESMExports } from 'node:module';
import { SluiceError } from '../../engine/errors/error.ts';

export function refuseExit(): void {
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    // Node itself ends a thread in this way, when an error is nobody's.
    if (new Error().stack?.includes('node:internal/main/worker_thread')) exit(code);
    throw new SluiceError(
      'no-exit',
      'process.exit() is not available in a cell, because it would end all cells. Throw an error to end this one.',
    );
  };
  // For `import { exit } from 'node:process'`.
  syncBuiltinESMExports();
}
