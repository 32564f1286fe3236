// The final value of a cell: its text, or a tree that unfolds if it is data.
import type { ValuePart } from '../../kernel/protocol/displays.ts';
import { readWire } from '../../kernel/protocol/values.ts';
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
    // A value that cannot be decoded is still shown as text.
    const read = readWire(part.wire);
    const value = 'problem' in read ? undefined : read.value;
    this.element.replaceChildren(kindOf(value) === 'nested' ? valueTree(value) : element('pre', '', part.text));
  }

  dispose(): void {
    this.#drawn = undefined;
  }
}
