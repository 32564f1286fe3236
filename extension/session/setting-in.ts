// The setting that an error names, so that it can be opened. Nothing here needs VS Code.

/** The first setting of Sluice in the texts; undefined: they name none. */
export function settingIn(texts: readonly (string | undefined)[]): string | undefined {
  for (const text of texts) {
    const found = /\bsluice\.(?:brokers|connections|memory)\b/.exec(text ?? '');
    if (found) return found[0];
  }
  return undefined;
}
