// The browse service as a process: JSON-RPC over standard input and output. It ends when its input
// ends, and so with the window that started it.
import {
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node.js';
import { BrowseService } from './browse-service.ts';

/** Runs until the client is gone. */
export function runBrowse(): void {
  // Standard output carries the protocol.
  console.log = console.info = console.error;
  const connection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const service = new BrowseService(
    (event, params) => void connection.sendNotification(event, params).catch(() => undefined),
  );
  for (const [method, handler] of Object.entries(service.handlers))
    connection.onRequest(method, async (params: never) => {
      try {
        return await (handler as (params: never) => unknown)(params);
      } catch (error) {
        throw new ResponseError(ErrorCodes.InternalError, error instanceof Error ? error.message : String(error));
      }
    });
  connection.onClose(() => process.exit(0));
  process.stdin.on('end', () => process.exit(0));
  connection.listen();
}
