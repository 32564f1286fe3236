// Finds the place of an error in the user's own text: maps stack frames of compiled cells and
// helper modules through their source maps.
//
// Scripts have generated names, `sluice-cell:/orders@3` (third text of the cell) and
// `sluice-module:/7`. So a stack frame identifies the text of its script, even after the cell has
// been edited.
import { SluiceError } from '../../engine/errors/error.ts';
import { sourceMapOf, type SourceMap } from './source-map.ts';

/** One-based. A place is in a cell (in one of its texts) or in a file. */
export interface Place {
  readonly cell?: string;
  readonly version?: number;
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  /** The text of the line. */
  readonly excerpt: string;
}
type Origin = Pick<Place, 'cell' | 'version' | 'file'>;

// V8 keeps ten frames by default. The engine alone can have as many between the user's function and
// the throw.
Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 60);

const frame = /(sluice-(?:cell|module):\/[^\s():]+):(\d+):(\d+)/;

const cellFile = (cell: string, version: number): string => `sluice-cell:/${cell}@${version}`;

export class SourcePlaces {
  readonly #scripts = new Map<string, { readonly origin: Origin; readonly map: SourceMap | undefined }>();
  #modules = 0;

  /** Adds the cell's script and returns its name. */
  addCell(cell: string, version: number, code: string): string {
    const name = cellFile(cell, version);
    this.#scripts.set(name, { origin: { cell, version }, map: sourceMapOf(code) });
    return name;
  }
  addModule(file: string, code: string): string {
    const name = `sluice-module:/${++this.#modules}`;
    this.#scripts.set(name, { origin: { file }, map: sourceMapOf(code) });
    return name;
  }

  /** The innermost place in the user's text in the stack of the error, or of its cause. */
  locate(error: unknown): Place | undefined {
    if (error instanceof SluiceError) {
      const { place } = error.details as { place?: Place };
      if (place !== undefined) return place;
    }
    for (const line of stackLines(error)) {
      const place = this.#place(line);
      if (place !== undefined) return place;
    }
    return error instanceof Error && error.cause !== undefined ? this.locate(error.cause) : undefined;
  }

  /**
   * The stack for users: frames in the user's text with their places, without frames of Sluice and
   * Node.
   */
  stack(error: unknown): string[] {
    return stackLines(error).flatMap((line) => {
      const place = this.#place(line);
      if (place !== undefined) {
        const name = /at (?:async )?(?!sluice-)([^\s(]+) \(/.exec(line)?.[1];
        const where = place.cell === undefined ? place.file : `cell ${place.cell}`;
        return [`at ${name === undefined ? '' : `${name}, `}${where}:${place.line}:${place.column}`];
      }
      return /node_modules/.test(line) ? [line.trim()] : [];
    });
  }

  #place(line: string): Place | undefined {
    const match = frame.exec(line);
    const script = match && this.#scripts.get(match[1]!);
    const place = script?.map?.locate(Number(match![2]), Number(match![3]));
    return place && { ...script!.origin, ...place };
  }
}

function stackLines(error: unknown): string[] {
  const stack: unknown = error !== null && typeof error === 'object' && 'stack' in error ? error.stack : undefined;
  return typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
}
