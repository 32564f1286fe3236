// The source map of a compiled script maps a place in the script to the user's text. Lines and
// columns are one-based.
import { originalPositionFor, sourceContentFor, TraceMap } from '@jridgewell/trace-mapping';
import { TextLines } from './text-lines.ts';

export interface SourcePlace {
  readonly line: number;
  readonly column: number;
  /** The user's line. */
  readonly excerpt: string;
}

export class SourceMap {
  readonly #encoded: string;
  #map: TraceMap | undefined;
  #lines: TextLines | undefined;
  constructor(encoded: string) {
    this.#encoded = encoded;
  }
  locate(line: number, column: number): SourcePlace | undefined {
    // The map is decoded at the first error, because errors are rare.
    this.#map ??= new TraceMap(Buffer.from(this.#encoded, 'base64').toString());
    const found = originalPositionFor(this.#map, { line, column: Math.max(0, column - 1) });
    if (found.line === null) return undefined;
    this.#lines ??= new TextLines((found.source !== null && sourceContentFor(this.#map, found.source)) || '');
    return { line: found.line, column: found.column + 1, excerpt: this.#lines.line(found.line - 1) };
  }
}

const prefix = '//# sourceMappingURL=data:application/json;base64,';

/** The source map at the end of a script that `kernel/cells` compiled. */
export function sourceMapOf(code: string): SourceMap | undefined {
  const at = code.lastIndexOf(prefix);
  return at < 0 ? undefined : new SourceMap(code.slice(at + prefix.length));
}

/**
 * The code that runs. It is the same for two texts that differ only in comments, types and blanks.
 */
export function withoutSourceMap(code: string): string {
  const at = code.lastIndexOf(prefix);
  return at < 0 ? code : code.slice(0, at);
}
