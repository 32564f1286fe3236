// What the starter of a kernel hands over in private: the connections with their secrets, through
// the standard input. Arguments and environment of a process can be read by others of the same
// user.
import { text } from 'node:stream/consumers';
import { handOverConnections, type Definitions } from '../../engine/connections/connection-named.ts';
import { handOverVariable } from '../client/start-kernel.ts';

/**
 * Reads the standard input to its end, if the starter writes there. A starter that died in the
 * middle leaves nothing that can be used, and the session begins without connections.
 */
export async function takeHandOver(): Promise<void> {
  const isThere = process.env[handOverVariable] === 'stdin';
  // The programs that cells start are not handed anything.
  delete process.env[handOverVariable];
  if (!isThere) return;
  const given = await text(process.stdin).catch(() => '');
  try {
    handOverConnections(JSON.parse(given) as Definitions);
  } catch {
    console.error('The connections of the editor did not arrive. Restart the session to hand them over again.');
  }
}
