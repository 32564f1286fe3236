// Where an error happened, in the user's own text: stack frames of compiled cells and helper modules through their source maps.
//
// Scripts run under names of ours, `sluice-cell:/orders@3` (third text of the cell) and `sluice-module:/7`, so that a frame says which text it belongs to
// although the cell has been edited since.
import { SluiceError } from '../../engine/errors/error.ts';
import { sourceMapOf, type SourceMap } from './source-map.ts';

/** One-based. Either a cell (and which of its texts) or a file. */
export interface Place {
  readonly cell?: string;
  readonly version?: number;
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  /** The line itself. */
  readonly excerpt: string;
}
type Origin = Pick<Place, 'cell' | 'version' | 'file'>;

// V8 keeps ten frames by itself, and the engine alone can be as deep between the user's function and the throw.
Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 60);

const frame = /(sluice-(?:cell|module):\/[^\s():]+):(\d+):(\d+)/;

export const cellFile = (cell: string, version: number): string => `sluice-cell:/${cell}@${version}`;

export class SourcePlaces {
  readonly #scripts = new Map<string, { readonly origin: Origin; readonly map: SourceMap | undefined }>();
  #modules = 0;

  /** The name under which the cell's script runs. */
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
  /** No function of this script is left. */
  forget(name: string): void {
    this.#scripts.delete(name);
  }

  /** The innermost place in the user's text that the error, or its cause, came through. */
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

  /** The stack for people: frames in the user's text with their places, frames of Sluice itself and of Node left out. */
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
