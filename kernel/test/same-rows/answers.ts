// An HTTP server on this machine that answers out of order: it holds several requests, and answers
// the last one first. `GET /12` gives 144.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answers {
  /** http://host:port */
  readonly address: string;
  /** Answers that have overtaken another one, since the last call. */
  takeOvertaken(): number;
  close(): Promise<void>;
}

/** It answers when it holds so many requests, or when no other request comes for a while. */
const most = 8;
const quietMillis = 20;

export async function startAnswers(): Promise<Answers> {
  let held: { readonly response: ServerResponse; readonly text: string }[] = [];
  let overtaken = 0;
  const answer = (): void => {
    overtaken += Math.max(0, held.length - 1);
    for (const { response, text } of held.toReversed()) response.end(text);
    held = [];
  };
  let quiet = setTimeout(() => undefined, 0);
  const server = createServer((request, response) => {
    held.push({ response, text: String(Number(request.url!.slice(1)) ** 2) });
    clearTimeout(quiet);
    if (held.length === most) answer();
    else quiet = setTimeout(answer, quietMillis);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeOvertaken() {
      const count = overtaken;
      overtaken = 0;
      return count;
    },
    async close() {
      clearTimeout(quiet);
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
