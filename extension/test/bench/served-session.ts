// A real kernel with a served page, for the bench of the page.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { connectSession, type Connection } from '../../../kernel/client/connect.ts';
import { isAlive } from '../../../kernel/client/registry.ts';
import { servePage } from '../../../kernel/server/serve-page.ts';

export interface BenchPlace {
  /** Holds the sessions and the bundle of the page. */
  readonly folder: string;
  readonly kernelPath: string;
  readonly browser: Browser;
}
export interface ServedSession {
  readonly connection: Connection;
  readonly url: string;
  /** From the call to the answer of the kernel. */
  readonly startMillis: number;
  close(): Promise<void>;
}

export async function servedSession({ folder, kernelPath }: BenchPlace, name: string): Promise<ServedSession> {
  const notebook = join(folder, `${name}.sluice.ts`);
  writeFileSync(notebook, '');
  const begin = performance.now();
  const connection = await connectSession({ notebook, kernelPath, client: 'vscode', build: 'bench' });
  const startMillis = performance.now() - begin;
  const { socket, token, pid } = connection.entry;
  const server = await servePage({ port: 0, folder: join(folder, 'page'), socket, token });
  return {
    ...{ connection, url: server.url, startMillis },
    async close() {
      await server.close();
      await connection.request('shutdown', null).catch(() => undefined);
      connection.close();
      // Its folder is removed afterwards.
      while (isAlive(pid)) await sleep(20);
    },
  };
}
