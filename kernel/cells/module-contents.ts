// Whether the contents of helper modules have changed. The control thread looks once a second.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface ModuleContent {
  readonly path: string;
  /** As that of a `ModuleSource`. '' for a missing file. */
  readonly hash: string;
}

/** Reports which tracked files have changed since the last question. */
export class ModuleContents {
  readonly #hashes = new Map<string, string>();

  /** Tracks these paths and no others. */
  track(paths: readonly string[]): void {
    const wanted = new Set(paths);
    for (const path of this.#hashes.keys()) if (!wanted.has(path)) this.#hashes.delete(path);
    for (const path of wanted) if (!this.#hashes.has(path)) this.#hashes.set(path, contentHash(path));
  }
  changed(): ModuleContent[] {
    const changed: ModuleContent[] = [];
    for (const [path, former] of this.#hashes) {
      const now = contentHash(path);
      if (now === former) continue;
      this.#hashes.set(path, now);
      changed.push({ path, hash: now });
    }
    return changed;
  }
}

/** '' for a missing file. */
function contentHash(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('base64url');
  } catch {
    return '';
  }
}
