// The sessions of this user that run, for a list of them. To look at a session does not join it, so
// it ends as if nobody had looked.
import type { Welcome } from '../protocol/messages.ts';
import { lookAt } from './connect.ts';
import { SilentKernel } from './end-session.ts';
import { answeringEntries, type SessionEntry } from './registry.ts';
import { sessionFolder } from './session-folder.ts';

export interface RunningSession {
  readonly entry: SessionEntry;
  /** undefined: its kernel does not answer. */
  readonly welcome: Welcome | undefined;
}

/** In the order of their starts. `build` is the version of the client. */
export async function runningSessions(build: string): Promise<readonly RunningSession[]> {
  const entries = await answeringEntries(sessionFolder());
  const found = await Promise.all(
    entries.map(async (entry): Promise<RunningSession | undefined> => {
      try {
        const connection = await lookAt(entry, build);
        connection.close();
        return { entry, welcome: connection.welcome };
      } catch (error) {
        // A session that has just ended is not one of them.
        return error instanceof SilentKernel ? { entry, welcome: undefined } : undefined;
      }
    }),
  );
  return found.filter((one) => one !== undefined).sort((a, b) => a.entry.since - b.entry.since);
}

/** Ends the session for everybody. A kernel that hangs is killed. */
export async function shutDownSession(entry: SessionEntry, build: string): Promise<void> {
  try {
    await (await lookAt(entry, build)).end();
  } catch (error) {
    if (error instanceof SilentKernel) await error.kill();
    else if ((await answeringEntries(sessionFolder())).some(({ session }) => session === entry.session)) throw error;
  }
}
