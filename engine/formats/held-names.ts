// Names that a library for schemas cannot hold, and the names that they have there.
//
// A library may leave out what is called `__proto__`, or take a name `constructor` for the one that
// every object has. So such a name gets one more underscore while the library has it:
// `constructor_`. A name that looks so already gets one more, too, so each name comes back as it
// was.

export interface HeldNames {
  /** A text, with each word that is such a name replaced. */
  readonly held: (text: string) => string;
  /** The text as it was. */
  readonly original: (text: string) => string;
}
export function heldNames(names: readonly string[]): HeldNames {
  const written = new RegExp(String.raw`\b(${names.join('|')})(?=_*\b)`, 'g');
  const inLibrary = new RegExp(String.raw`\b(${names.join('|')})_(?=_*\b)`, 'g');
  return {
    held: (text) => text.replace(written, '$1_'),
    original: (text) => text.replace(inLibrary, '$1'),
  };
}
