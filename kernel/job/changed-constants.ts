// Constants whose values differ between a job's checkpoint and the job that is started now.
//
// An export evaluates constants, such as rates that are read from a file. The same notebook that is
// exported again may have other values. Then the job evaluates its cells anew, with the values of
// its export, and each operator goes on with its state, as with a savepoint.
import { constantOf, constantText } from '../cells/constant-text.ts';
import type { SavedSession } from '../session/saved-session.ts';

/** Cell → its constants by key, as texts of `constant-text.ts`. */
export type ConstantTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Their names with their cells. Values may be secrets, so none is shown. */
export function changedConstants({ cells }: Pick<SavedSession, 'cells'>, constants: ConstantTexts): readonly string[] {
  return cells.flatMap(({ id, active }) => {
    const kept = active?.kept.values ?? {};
    return Object.entries(constants[id] ?? {})
      .filter(([key, text]) => Object.hasOwn(kept, key) && !isSame(kept[key], text))
      .map(([key]) => `${key} of cell "${id}"`);
  });
}

function isSame(value: unknown, text: string): boolean {
  // Both are written here: a former version may have written the same value in another way.
  return constantText(value) === constantText(constantOf(text));
}
