// Where the user sets a connection or a registry: in the settings of an editor, if an editor has
// started this process, else in the environment. Messages name that place.

/** An editor sets it to 1 for the processes that it starts. */
const editorVariable = 'SLUICE_EDITOR';

type Environment = Readonly<Record<string, string | undefined>>;

export function isOfEditor(environment: Environment = process.env): boolean {
  return environment[editorVariable] === '1';
}

/** The place of whole definitions, with TLS and log-in. */
export function placeOfConnections(environment?: Environment): string {
  return isOfEditor(environment) ? 'the setting sluice.connections' : 'SLUICE_CONNECTIONS';
}

/** Without a capital letter at the begin and a point at the end. */
export function wayToRegistry(variable = 'SLUICE_REGISTRY', environment?: Environment): string {
  const then = isOfEditor(environment) ? 'run the cell again' : 'restart the session';
  return `${wayToNameRegistry(variable, environment)} and ${then}`;
}
/** The same for what asks each time anew. */
export function wayToNameRegistry(variable = 'SLUICE_REGISTRY', environment?: Environment): string {
  return isOfEditor(environment)
    ? 'give the connection a `registry` in the setting sluice.connections'
    : `set ${variable} to its URL`;
}
