// The begin of a sentence: its first letter is a capital.
/** A text that begins with a name in capitals stays as it is. */
export function upperFirst(text: string): string {
  return /^[a-z]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
