// The final value of a cell: its text, or a tree that unfolds if it is data.
import type { ValuePart } from '../../kernel/protocol/displays.ts';
import { fromWire } from '../../kernel/protocol/values.ts';
import { element } from './element.ts';
import type { PartView } from './part-view.ts';
import { kindOf, valueTree } from './value-tree.ts';

export class Value implements PartView<ValuePart> {
  readonly element = element('section', 'sl-part sl-value');
  #drawn: string | undefined;

  draw(part: ValuePart): void {
    const signature = JSON.stringify([part.text, part.wire]);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    const value = part.wire === undefined ? undefined : fromWire(part.wire);
    this.element.replaceChildren(kindOf(value) === 'nested' ? valueTree(value) : element('pre', '', part.text));
  }

  dispose(): void {
    this.#drawn = undefined;
  }
}
