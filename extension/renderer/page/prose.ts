// Prose cells as HTML. Everybody with the address of the page sees them, so they contain no HTML of
// the author, only links that are safe to click, and no image from outside.
import MarkdownIt from 'markdown-it';

const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false });

const imageData = /^data:image\/(?:png|jpeg|gif|webp);/i;

/** Other schemes (command:, vscode:, ms-msdt:, …) start programs. A link without a scheme is in the page. */
markdown.validateLink = (url) => {
  const [, scheme] = /^([^/?#]*):/.exec(url) ?? [];
  return scheme === undefined || ['http', 'https', 'mailto'].includes(scheme.toLowerCase()) || imageData.test(url);
};

/** An image from outside would tell its server about each viewer. It is shown as a link. */
const { image } = markdown.renderer.rules;
markdown.renderer.rules.image = (tokens, index, options, environment, renderer) => {
  const token = tokens[index]!;
  const source = String(token.attrGet('src') ?? '');
  if (imageData.test(source)) return image!(tokens, index, options, environment, renderer);
  const { escapeHtml } = markdown.utils;
  const text = token.content === '' ? source : token.content;
  return `<a href="${escapeHtml(source)}">${escapeHtml(text)}</a>`;
};

export function proseHtml(text: string): string {
  return markdown.render(text);
}
