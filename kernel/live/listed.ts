// Names as a sentence of a note or an error lists them: "a", "a and b", "a, b and c".
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
