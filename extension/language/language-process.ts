// The language server's process. It starts with the first notebook, restarts after a crash, and
// ends with the window.
//
//   idle ─first request or notebook─► running ─crash─► idle
//                                        └─ five crashes within three minutes ─► off, one warning
//
// The next start opens all notebooks again.
import type { ChildProcess } from 'node:child_process';
import * as vscode from 'vscode';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node.js';
import { spawnNode } from '../session/own-node.ts';
import type { LanguageEvents, LanguageNotifications, LanguageRequests } from '../../kernel/protocol/language.ts';

const deathsAllowed = 5;
const deathsCountedMillis = 180_000;

interface Running {
  readonly process: ChildProcess;
  readonly connection: MessageConnection;
}

export class LanguageProcess {
  readonly #file: string;
  readonly #started: (connection: MessageConnection) => void;
  readonly #diagnostics: (found: LanguageEvents['diagnostics']) => void;
  #running: Running | undefined;
  #deaths: number[] = [];
  #isDisposed = false;

  constructor(
    file: string,
    on: {
      /** A server has started and knows no notebook yet. */
      started: (connection: MessageConnection) => void;
      diagnostics: (found: LanguageEvents['diagnostics']) => void;
    },
  ) {
    this.#file = file;
    this.#started = on.started;
    this.#diagnostics = on.diagnostics;
  }

  async request<M extends keyof LanguageRequests>(
    method: M,
    params: LanguageRequests[M]['params'],
    token: vscode.CancellationToken,
  ): Promise<LanguageRequests[M]['result'] | undefined> {
    const connection = this.connection();
    if (connection === undefined) return undefined;
    try {
      return await connection.sendRequest<LanguageRequests[M]['result']>(method, params, token);
    } catch {
      // The request was cancelled, or the server has ended. The editor asks again with the next
      // key.
      return undefined;
    }
  }

  notify<M extends keyof LanguageNotifications>(method: M, params: LanguageNotifications[M]): void {
    // A stopped server needs no notification. It gets all notebooks when a request starts it.
    void this.#running?.connection.sendNotification(method, params).catch(() => undefined);
  }

  connection(): MessageConnection | undefined {
    if (this.#isDisposed || this.#deaths.length >= deathsAllowed) return undefined;
    return (this.#running ?? this.#start()).connection;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#running?.connection.dispose();
    this.#running?.process.kill();
    this.#running = undefined;
  }

  #start(): Running {
    const child = spawnNode(this.#file, [], ['pipe', 'pipe', 'ignore']);
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout!),
      new StreamMessageWriter(child.stdin!),
    );
    const running: Running = { process: child, connection };
    this.#running = running;
    const died = (): void => {
      if (this.#running !== running) return;
      this.#running = undefined;
      connection.dispose();
      this.#countDeath();
    };
    child.on('exit', died);
    child.on('error', died);
    connection.onClose(died);
    connection.onError(() => undefined);
    connection.onNotification('diagnostics', (found: LanguageEvents['diagnostics']) => this.#diagnostics(found));
    connection.listen();
    this.#started(connection);
    return running;
  }

  #countDeath(): void {
    if (this.#isDisposed) return;
    const now = Date.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < deathsCountedMillis), now];
    if (this.#deaths.length >= deathsAllowed)
      void vscode.window.showWarningMessage(
        'Completions and type errors of Sluice notebooks are off: the language server ended five times. Reload the window to try again. Cells run as before.',
      );
  }
}
