// The name of a partition of files: what the user's partitionBy gives for a row.
import { SluiceError } from '../errors/error.ts';
import { described } from '../values/kind.ts';

/** Gives the name of a row's partition. Error: `bad-partition`. */
export function partitionNames(partitionBy: (element: unknown) => unknown): (row: unknown) => string {
  return (row) => {
    const name = partitionBy(row);
    if (typeof name === 'string' && /^[^/\\\0]+$/.test(name) && !/^\.+$/.test(name)) return name;
    throw new SluiceError(
      'bad-partition',
      `partitionBy of toFile() gave ${described(name)}, which cannot be the name of a file. Give a text without slashes.`,
    );
  };
}
