// Text from names, topics and errors in labels of VS Code. A status bar draws `$(name)` as an icon,
// and a notification draws `[text](command:…)` as a link that runs a command.

/** For a status bar. A backslash before an icon makes it text. */
export function labelText(text: string): string {
  return text.replace(/(?<!\\)\$\(/g, '\\$(');
}

/** For a notification. An invisible character separates the two parts of a link. */
export function notificationText(text: string): string {
  return text.replace(/\]\(/g, ']\u200b(');
}
