// A chart fetches nothing and navigates nowhere, whatever its spec and its rows contain. The page's
// Content Security Policy says the same, but the webview of VS Code allows images from anywhere.
import type { Loader, Spec } from 'vega';

/** Images in the row itself. A data URL of another type could be a document. */
const imageData = /^data:image\/(?:png|jpeg|gif|webp|avif|bmp|svg\+xml)[;,]/i;

/** Replaces an image that is not shown. An empty address would load the page itself. */
const noImage = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

const refused = (uri: string): Promise<never> =>
  Promise.reject(
    new Error(`A chart shows the rows of its stream; it does not load ${uri}. Read it with file() in a cell.`),
  );

export const rowsOnly: Loader = {
  load: refused,
  http: refused,
  file: refused,
  sanitize(uri, options) {
    // Vega asks before it loads an image, and before it follows the link of a clicked mark.
    if ((options as { readonly context?: unknown } | undefined)?.context !== 'image') return refused(uri);
    return Promise.resolve({ href: typeof uri === 'string' && imageData.test(uri) ? uri : noImage });
  },
};

/**
 * Removes links and pointers from a compiled spec. A pointer may be an image with an address. A
 * colour may be one too: see `chart-paint.ts`.
 */
export function withoutAddresses(vega: Spec): Spec {
  const signals = vega.signals?.filter(({ name }) => name !== 'cursor');
  return withoutFields({ ...vega, ...(signals && { signals }) }) as Spec;
}

function withoutFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFields);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'href' && name !== 'cursor');
  // The rows of an inline data set are no part of the spec. They may have such fields.
  return Object.fromEntries(entries.map(([name, inner]) => [name, name === 'data' ? inner : withoutFields(inner)]));
}
