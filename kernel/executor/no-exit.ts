// `process.exit` in user code would end the thread of all cells, and nobody would know which cell
// it was. Here it is an error of the code that calls it.
//
// `process.reallyExit` cannot be refused, because `process.exit` ends with it. The cell that calls
// it is known.
import { syncBuiltinESMExports } from 'node:module';
import { SluiceError } from '../../engine/errors/error.ts';
import { callingCell } from './hereabouts.ts';

/** `leaves`: the thread ends now, by code of this cell. */
export function refuseExit(leaves: (cell: string) => void): void {
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    // Node itself ends a thread in this way, when an error is nobody's.
    if (new Error().stack?.includes('node:internal/main/worker_thread')) exit(code);
    throw new SluiceError(
      'no-exit',
      'process.exit() is not available in a cell, because it would end all cells. Throw an error to end this one.',
    );
  };
  const node = process as unknown as { reallyExit: (code?: number) => void };
  const reallyExit = node.reallyExit.bind(process);
  node.reallyExit = function leave(code) {
    const cell = callingCell(leave);
    if (cell !== undefined) leaves(cell);
    reallyExit(code);
  };
  // For `import { exit } from 'node:process'`.
  syncBuiltinESMExports();
}
