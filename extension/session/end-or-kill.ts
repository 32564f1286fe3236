// Ends a notebook's session, if there is one. A kernel that hangs is killed.
import type { Connection } from '../../kernel/client/connect.ts';
import { SilentKernel } from '../../kernel/client/end-session.ts';

export async function endOrKill(
  connect: () => Promise<Connection | undefined>,
  ends: () => unknown,
  discard: boolean,
): Promise<void> {
  try {
    const connection = await connect();
    if (connection === undefined) return;
    ends();
    await connection.end({ discard });
  } catch (error) {
    // No connection could be made, because the kernel hangs.
    if (!(error instanceof SilentKernel)) throw error;
    await error.kill();
  }
}
