// A line when the trouble of a cell begins, changes or ends.
import type { SessionView } from '../protocol/messages.ts';
import { lineText } from './terminal-text.ts';

export class TroubleLines {
  readonly #known = new Map<string, string | undefined>();

  news({ cells }: SessionView): string[] {
    return cells.flatMap(({ id, trouble }) => {
      if (this.#known.get(id) === trouble) return [];
      this.#known.set(id, trouble);
      return [lineText(`${id}  ${trouble ?? 'the trouble is over'}`)];
    });
  }
}
