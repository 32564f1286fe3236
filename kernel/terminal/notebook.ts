// Reads the cells of the notebook that the command line names, and finds lines that are out of
// place.
import { readFileSync } from 'node:fs';
import type { CellDiagnostic } from '../cells/compile.ts';
import { linesOutOfPlace } from '../cells/lines-out-of-place.ts';
import { identify } from '../protocol/cell-identity.ts';
import type { CellText } from '../protocol/messages.ts';
import { decodeBytes, parseNotebook } from '../protocol/notebook-file.ts';
import { CommandError } from './command-error.ts';

export interface ReadNotebook {
  readonly cells: readonly CellText[];
  /** Lines that are probably not what their writer meant. */
  readonly problems: readonly CellDiagnostic[];
}

export function readNotebook(path: string): ReadNotebook {
  const parsed = parseNotebook(decodeBytes(bytesOf(path)));
  const cells = identify(parsed).map(({ id, problem }, index) => {
    const { kind, text } = parsed[index]!;
    if (problem === 'duplicate')
      throw new CommandError('duplicate-cell-id', `Two cells of ${path} have the id "${id}". Rename one of them.`);
    if (problem === 'invalid')
      throw new CommandError(
        'invalid-cell-id',
        `"${id}" in ${path} is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _.`,
      );
    return { id, kind, text };
  });
  const ids = cells.map(({ id }) => id);
  return { cells, problems: linesOutOfPlace(parsed, ids).flat() };
}

function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CommandError('no-notebook', `There is no notebook ${path}.`);
    throw new CommandError('no-notebook', `${path} cannot be read: ${(error as Error).message}.`);
  }
}
