// Real kernels for tests, with their own session folder and notebooks. All processes are ended at
// the end.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { connectSession, type Connection } from '../../client/connect.ts';
import { entries, isAlive } from '../../client/registry.ts';
import type { ViewDelta, ViewSnapshot } from '../../protocol/displays.ts';
import type { CellText } from '../../protocol/messages.ts';
import { ViewCopy } from '../../terminal/view-copy.ts';

export const kernelPath = join(import.meta.dirname, '../../main.ts');

export class Kernels {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-')));
  readonly #connections: Connection[] = [];

  constructor(t: TestContext) {
    process.env['SLUICE_SESSIONS'] = this.folder;
    t.onTestFinished(async () => {
      for (const connection of this.#connections) connection.close();
      const living = entries(this.folder).filter(({ pid }) => isAlive(pid));
      for (const { pid } of living) process.kill(pid, 'SIGKILL');
      for (const { pid } of living) await until(() => !isAlive(pid), 'the kernel to end');
      delete process.env['SLUICE_SESSIONS'];
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  notebook(name = 'a.sluice.ts', text = '// %% id=a\n'): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }
  async connect(
    notebook: string,
    more: { readonly idleMinutes?: number; readonly execPath?: string } = {},
  ): Promise<Connection> {
    const connection = await connectSession({ notebook, kernelPath, client: 'cli', build: 'test', ...more });
    this.#connections.push(connection);
    return connection;
  }
}

export function code(cells: Readonly<Record<string, string>>): readonly CellText[] {
  return Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
}

/** The state of one cell in a client. */
export function watch(
  connection: Connection,
  view: string,
): ViewCopy & { readonly messages: (ViewSnapshot | ViewDelta)[] } {
  const copy = Object.assign(new ViewCopy(), { messages: [] as (ViewSnapshot | ViewDelta)[] });
  connection.on('view', (message) => {
    if (message.view !== view) return;
    copy.messages.push(message);
    copy.apply(message);
  });
  // The connection may be closed before the answer.
  void connection.request('show', { view }).catch(() => undefined);
  return copy;
}

/** Waits until the condition is true. The limit is far above the time of a working process. */
/** The limit is long, because the machine may be busy. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  millis = 120_000,
): Promise<void> {
  const end = Date.now() + millis;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited ${millis / 1000} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
