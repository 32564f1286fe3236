// Finds the place of an error in the user's own text: maps stack frames of compiled cells and
// helper modules through their source maps.
//
// Scripts have generated names, `sluice-cell:/orders@3` (third text of the cell) and
// `sluice-module:/7`. So a stack frame identifies the text of its script, even after the cell has
// been edited.
import { isSluiceError, readThrown } from '../../engine/errors/thrown.ts';
import { cutText } from '../protocol/display-cut.ts';
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

/** Causes of causes in which a place is searched. */
const mostCauses = 10;
/** Of one stack. */
const mostFrames = 100;
/** Characters of a line of a stack, and of the user's text. */
const longestLine = 1000;

const cellFile = (cell: string, version: number): string => `sluice-cell:/${cell}@${version}`;
const cellScript = /sluice-cell:\/([^\s():@]+)@\d/;

/** The cell of a script's name, or of a line of a stack; undefined: it is not in a cell. */
export function cellOfScript(text: string): string | undefined {
  return cellScript.exec(text)?.[1];
}
/** The innermost cell in the lines of a stack. */
export function innermostCell(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const cell = cellOfScript(line);
    if (cell !== undefined) return cell;
  }
  return undefined;
}
/** Whether the line of a stack is in Sluice's own code: not in user code, a package or Node. */
export function isOwnFrame(line: string): boolean {
  return !/sluice-(?:cell|module):|node:|node_modules|<anonymous>|native/.test(line);
}

/** False: the error comes from user code, or from Node, as an event that nobody hears does. */
export function hasOwnFrame(error: unknown): boolean {
  return stackLines(readThrown(error).stack).some(isOwnFrame);
}

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
  locate(error: unknown, depth = 0): Place | undefined {
    if (isSluiceError(error)) {
      const { place } = error.details as { place?: Place };
      if (place !== undefined) return place;
    }
    const { stack, cause } = readThrown(error);
    for (const line of stackLines(stack)) {
      const place = this.#place(line);
      if (place !== undefined) return place;
    }
    // An error may be its own cause.
    return cause !== undefined && depth < mostCauses ? this.locate(cause, depth + 1) : undefined;
  }

  /** The innermost place in the user's text that is being executed. */
  here(): Place | undefined {
    return this.locate(new Error('here'));
  }

  /**
   * The stack for users: frames in the user's text with their places, without frames of Sluice and
   * Node.
   */
  stack(error: unknown): string[] {
    const lines = stackLines(readThrown(error).stack).slice(0, mostFrames);
    return lines.flatMap((line) => {
      const place = this.#place(line);
      if (place !== undefined) {
        const name = /at (?:async )?(?!sluice-)([^\s(]+) \(/.exec(line)?.[1];
        const where = place.cell === undefined ? place.file : `cell ${place.cell}`;
        return [`at ${name === undefined ? '' : `${name}, `}${where}:${place.line}:${place.column}`];
      }
      return /node_modules/.test(line) ? [cutText(line.trim(), longestLine)] : [];
    });
  }

  #place(line: string): Place | undefined {
    const match = frame.exec(line);
    const script = match && this.#scripts.get(match[1]!);
    const place = script?.map?.locate(Number(match![2]), Number(match![3]));
    return place && { ...script!.origin, ...place, excerpt: cutText(place.excerpt, longestLine) };
  }
}

function stackLines(stack = ''): string[] {
  return stack.split('\n').filter((line) => /^\s+at /.test(line));
}
