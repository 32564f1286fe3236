// The variables by which a process gets the folder of its compiled code: Node's compile cache. With
// it a start reads code instead of compiling megabytes of text. V8 runs what it reads there. So the
// folder is inside the one of this user's sessions, which no other user can write, and not Node's
// own place in the temporary folder, which everybody may fill.
//
//   the starter sets them ─► control thread keeps them ─► executor: its own folder, then removed
//
// Cells see the environment of their thread, so the executor removes the variables before they run.
type Environment = Record<string, string | undefined>;

const variable = 'NODE_COMPILE_CACHE';
/** Has the same value, if the variable is ours and not the user's. */
const mark = 'SLUICE_CODE_CACHE';

/**
 * For a process or a thread that is started. None if the user has chosen a folder: it stays.
 */
export function codeVariables(folder: string, env: Environment): Readonly<Record<string, string>> {
  const isOfUser = env[variable] !== undefined && env[variable] !== env[mark];
  return isOfUser ? {} : { [variable]: folder, [mark]: folder };
}

/** The folder of this process, if it is ours. */
export function ownCodeFolder(env: Environment): string | undefined {
  return env[mark] !== undefined && env[variable] === env[mark] ? env[mark] : undefined;
}

export function removeCodeVariables(env: Environment): void {
  if (ownCodeFolder(env) !== undefined) Reflect.deleteProperty(env, variable);
  Reflect.deleteProperty(env, mark);
}
