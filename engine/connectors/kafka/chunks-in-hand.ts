// The chunks that a source has and has not emitted, in their order. Some are begun and set aside:
// their splits have used up their share, are ahead of other sources, or wait for a schema.
import type { OpenChunk } from './open-chunk.ts';
import type { Chunk } from './reader-messages.ts';

export class ChunksInHand {
  #chunks: Chunk[] = [];
  #setAside: OpenChunk[] = [];

  get isEmpty(): boolean {
    return this.#chunks.length + this.#setAside.length === 0;
  }
  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
  }
  setAside(open: OpenChunk): void {
    this.#setAside.push(open);
  }
  /** The next chunk of a split that may be read; first those that were begun. */
  take(mayRead: (split: string) => boolean): Chunk | OpenChunk | undefined {
    const aside = this.#setAside.findIndex(({ state }) => mayRead(state.name));
    if (aside >= 0) return this.#setAside.splice(aside, 1)[0];
    const index = this.#chunks.findIndex(({ split }) => mayRead(split));
    return index > 0 ? this.#chunks.splice(index, 1)[0] : index === 0 ? this.#chunks.shift() : undefined;
  }
  /** Drops the chunks of other splits. */
  keep(isKept: (split: string) => boolean): void {
    this.#chunks = this.#chunks.filter(({ split }) => isKept(split));
    this.#setAside = this.#setAside.filter(({ state }) => isKept(state.name));
  }
}
