// A browse service in its own process, as an editor starts it, and a client of it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';
import type { BrowseRequests, PeekFrom, PeekNews, PeekRow } from '../../protocol/browse.ts';

const kernel = join(import.meta.dirname, '../../main.ts');

export interface BrowseClient {
  readonly pid: number;
  readonly ended: Promise<void>;
  ask<M extends keyof BrowseRequests>(
    method: M,
    params: BrowseRequests[M]['params'],
  ): Promise<BrowseRequests[M]['result']>;
  /** Opens a peek and collects its news. */
  peek(connection: string, topic: string, from: PeekFrom, filter?: string): Promise<CollectedPeek>;
  close(): void;
}
export interface CollectedPeek {
  readonly id: string;
  readonly rows: readonly PeekRow[];
  readonly last: PeekNews;
  until(what: string, condition: (peek: CollectedPeek) => boolean): Promise<void>;
}

export function startBrowse(): BrowseClient {
  const child = spawn(process.execPath, [kernel, 'browse'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const rpc = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const news = new Map<string, (news: PeekNews) => void>();
  rpc.onNotification('peek', (one: PeekNews) => news.get(one.peek)?.(one));
  rpc.listen();
  const ask: BrowseClient['ask'] = async (method, params) => await rpc.sendRequest(method, params);
  let peeks = 0;
  return {
    pid: child.pid!,
    ended: new Promise((resolve) => child.once('exit', () => resolve())),
    ask,
    async peek(connection, topic, from, filter = '') {
      const id = `peek ${peeks++}`;
      const rows: PeekRow[] = [];
      let last: PeekNews | undefined;
      news.set(id, (one) => {
        rows.push(...one.rows);
        last = one;
      });
      await ask('openPeek', { peek: id, connection, topic, from, filter });
      const collected: CollectedPeek = {
        id,
        rows,
        get last() {
          if (!last) throw new Error('there is no news yet');
          return last;
        },
        async until(what, condition) {
          const deadline = Date.now() + 120_000;
          while (!last || !condition(collected)) {
            if (Date.now() > deadline) throw new Error(`${what}: ${rows.length} rows, ${JSON.stringify(last)}`);
            await sleep(20);
          }
        },
      };
      return collected;
    },
    close: () => child.stdin.end(),
  };
}
