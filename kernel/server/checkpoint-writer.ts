// Writes the checkpoints of a session to their storage, reads an older one, and tells the session
// what became of them.
import type { CheckpointContent, CheckpointStorage } from '../checkpoints/checkpoint-storage.ts';
import { realDisk } from '../checkpoints/disk.ts';
import { writeSavepoint } from '../checkpoints/savepoint.ts';
import { messageOf } from '../../engine/errors/thrown.ts';
import type { SavedCheckpoint } from '../session/checkpoint-state.ts';
import type { SessionEvent } from '../session/events.ts';

/** Where a savepoint is, or why there is none. */
export type SavepointResult = { readonly path: string } | { readonly error: unknown };

export interface CheckpointWriterHost {
  dispatch(event: SessionEvent): void;
  /** Resolves when rows of before the checkpoint have left the process. */
  beforeStore?(): Promise<void>;
  /** A checkpoint is complete. */
  stored?(content: SavedCheckpoint, bytes: number): void;
  /** All checkpoints have been removed. */
  discarded?(): void;
  savepointDone(request: number, result: SavepointResult): void;
}

export class CheckpointWriter {
  readonly #storage: CheckpointStorage | undefined;
  readonly #host: CheckpointWriterHost;
  /** Savepoints that are being written. */
  readonly #savepoints = new Set<Promise<void>>();

  /** Without a storage, only savepoints can be written. */
  constructor(storage: CheckpointStorage | undefined, host: CheckpointWriterHost) {
    this.#storage = storage;
    this.#host = host;
  }

  async store(saved: SavedCheckpoint, retained: number): Promise<void> {
    const { id } = saved;
    try {
      await this.#host.beforeStore?.();
      const { bytes, newBytes } = await this.#storage!.write(contentOf(saved, 'checkpoint'), retained);
      this.#host.stored?.(saved, bytes);
      this.#host.dispatch({ kind: 'checkpoint-stored', id, bytes, newBytes });
    } catch (error) {
      console.error(messageOf(error));
      this.#host.dispatch({ kind: 'checkpoint-failed', id, message: messageOf(error) });
    }
  }

  savepoint(request: number, saved: SavedCheckpoint, directory: string): void {
    const written = writeSavepoint(realDisk, contentOf(saved, 'savepoint'), directory)
      .then((path) => this.#host.savepointDone(request, { path }))
      .catch((error: unknown) => this.#host.savepointDone(request, { error }))
      .finally(() => this.#savepoints.delete(written));
    this.#savepoints.add(written);
  }

  async readOlder(before: number): Promise<void> {
    try {
      const content = await this.#storage?.before(before);
      const found = content && savedOf(content);
      this.#host.dispatch({ kind: 'older-checkpoint', before, found });
    } catch (error) {
      this.#host.dispatch({ kind: 'older-checkpoint', before, problem: messageOf(error) });
    }
  }

  async discard(): Promise<void> {
    try {
      await this.#storage?.discardAll();
      this.#host.discarded?.();
    } catch (error) {
      console.error(messageOf(error));
    }
  }

  /** Waits for what is being written, and releases the directory. */
  async close(): Promise<void> {
    await Promise.all(this.#savepoints);
    await this.#storage?.close();
  }
}

function contentOf({ id, takenAt, saved, parts }: SavedCheckpoint, kind: CheckpointContent['kind']): CheckpointContent {
  return { id, takenAt, kind, session: saved, parts };
}
export function savedOf({ id, takenAt, session, parts }: CheckpointContent): SavedCheckpoint {
  return { id, takenAt, saved: session, parts };
}
