// The transactional ids that sinks of this thread use. A sink that was removed may have a
// transaction to commit while its successor starts with the same prefix: the successor leaves that
// id alone. A sink that is closed in an outage cannot end what it has open: it leaves those ids to
// the next sink with its prefix.

class IdsAtWork {
  readonly #holders = new Map<string, Set<object>>();
  readonly #left = new Set<string>();

  hold(id: string, holder: object): void {
    const holders = this.#holders.get(id) ?? new Set();
    this.#holders.set(id, holders.add(holder));
  }
  release(id: string, holder: object): void {
    const holders = this.#holders.get(id);
    holders?.delete(holder);
    if (holders?.size === 0) this.#holders.delete(id);
  }
  /** The holder is closed. Its ids may be open, except for those that are `finished`. */
  leave(holder: object, finished: ReadonlySet<string>): void {
    for (const [id, holders] of [...this.#holders]) {
      if (!holders.has(holder)) continue;
      if (!finished.has(id)) this.#left.add(id);
      this.release(id, holder);
    }
  }
  /** Whether a closed sink has left it, perhaps open. Only the first caller gets true. */
  takeLeft(id: string): boolean {
    return !this.#holders.has(id) && this.#left.delete(id);
  }
  isHeldByOther(id: string, holder: object): boolean {
    return [...(this.#holders.get(id) ?? [])].some((other) => other !== holder);
  }
}

export const idsAtWork = new IdsAtWork();
