// The caption under a display. It contains pieces of text and times in the user's zone, with UTC on
// hover.
import type { Caption } from '../../kernel/protocol/displays.ts';
import { element, setAttribute, setClass, setText, setTitle } from './element.ts';
import { moment, utc } from './format.ts';

export class CaptionLine {
  readonly element = element('div', 'sl-caption');

  draw(caption: Caption, now: number): void {
    setClass(this.element, caption.waiting ? 'sl-caption sl-waiting' : 'sl-caption');
    // Pieces of the same kind are patched in place, so that a selection or a tooltip on the line
    // survives.
    caption.pieces.forEach((piece, index) => {
      const isTime = typeof piece !== 'string';
      let node = this.element.children[index] as HTMLElement | undefined;
      const tag = isTime ? 'TIME' : 'SPAN';
      if (node?.tagName !== tag) {
        const fresh = isTime ? element('time') : element('span');
        if (node === undefined) this.element.append(fresh);
        else node.replaceWith(fresh);
        node = fresh;
      }
      setText(node, isTime ? moment(piece.time, now) : piece);
      if (isTime) setAttribute(node, 'title', utc(piece.time));
    });
    while (this.element.children.length > caption.pieces.length) this.element.lastElementChild?.remove();
    setTitle(this.element, this.element.textContent ?? '');
  }
}
