// Adds the style sheet once per document or shadow root.
import css from './styles.css';

const marker = 'data-sluice-styles';

export function injectStyles(node: Node): void {
  const root = node.getRootNode();
  const home = root instanceof ShadowRoot ? root : document.head;
  if (home.querySelector(`style[${marker}]`) !== null) return;
  const style = document.createElement('style');
  style.setAttribute(marker, '');
  style.textContent = css;
  home.append(style);
}
