// Reads the cells of the notebook that the command line names.
import { readFileSync } from 'node:fs';
import { identify } from '../protocol/cell-identity.ts';
import type { CellText } from '../protocol/messages.ts';
import { decodeBytes, parseNotebook } from '../protocol/notebook-file.ts';
import { CommandError } from './command-error.ts';

export function readNotebook(path: string): readonly CellText[] {
  const cells = parseNotebook(decodeBytes(bytesOf(path)));
  return identify(cells).map(({ id, problem }, index) => {
    const { kind, text } = cells[index]!;
    if (problem === 'duplicate')
      throw new CommandError('duplicate-cell-id', `Two cells of ${path} have the id "${id}". Rename one of them.`);
    if (problem === 'invalid')
      throw new CommandError(
        'invalid-cell-id',
        `"${id}" in ${path} is not a cell id. An id consists of letters, digits, _ and -, and begins with a letter or _.`,
      );
    return { id, kind, text };
  });
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
