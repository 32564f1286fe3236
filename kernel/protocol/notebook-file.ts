// The notebook file: converts between text and cells, so that an unchanged cell keeps its bytes.
//
// Property tests hold three laws. Reading and writing gives the same bytes. Writing and reading
// gives the same cells for any text. A change of one cell changes only the lines of that cell. So
// each cell carries the peculiarities of its own lines (its marker, line endings, blank lines) and
// nothing about the file. The text of a cell has '\n' for every line ending, because each cell has
// one kind of line ending in VS Code's editor.
//
//   // %% id=orders
//   const orders = kafka('orders');
//
//   // %% [markdown]
//   // Prose, a comment on each line. `// \%%` is a line that begins with %%.
//
// A marker begins a line and is not inside a string, a template or a comment. One blank line before
// the next marker is not part of the text.
import { isMarkerLine, readMarker, writeMarker, type CellKind } from './marker-line.ts';
import { OpenLiteral } from './open-literal.ts';

export interface NotebookCell {
  readonly kind: CellKind;
  readonly id?: string | undefined;
  readonly text: string;
  readonly metadata: CellMetadata;
}

/** JSON only, because it passes through VS Code. All fields are optional; a new cell has none. */
export interface CellMetadata {
  /** The marker line as it was read. */
  readonly marker?: string;
  /** The cell began the file without a marker. */
  readonly bare?: true;
  /** Blank lines before the file's first marker. */
  readonly before?: number;
  /** Blank lines after the text that do not belong to it. */
  readonly blank?: number;
  readonly eol?: Eol;
  /** All line endings in order, if they are mixed. */
  readonly endings?: readonly Eol[];
  /** The file ended here without a line ending. */
  readonly final?: false;
  readonly bom?: true;
  /** The marker's `lines=` did not fit when the file was read. */
  readonly ignored?: true;
  /**
   * The text ended inside a literal but needed no `lines=`. It stood at the end of the file, or a
   * blank line ended its continued string.
   */
  readonly open?: true;
  /** Lines that differ from our way of writing: index in the text, and the line as it was read. */
  readonly odd?: readonly (readonly [index: number, line: string])[];
}
export type Eol = '\n' | '\r\n' | '\r';

export class NotebookFileError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'NotebookFileError';
    this.code = code;
  }
}

/** Bytes of a file as text, with the byte order mark. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotebookFileError(
      'not-utf8',
      `This file is not UTF-8 text: ${firstInvalid(bytes)}. Save it as UTF-8 and open it again; nothing was changed.`,
    );
  }
}
export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function firstInvalid(bytes: Uint8Array): string {
  const { from, to } = invalidBlock(bytes);
  const fits = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let low = from;
  let high = to;
  if (fits(high)) return 'its last character is cut off';
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  const line = 1 + bytes.subarray(0, low).filter((byte) => byte === 0x0a).length;
  return `no character fits the bytes around 0x${bytes[low]!.toString(16)} in line ${line}`;
}

const blockBytes = 4096;
/**
 * The first block of bytes that is not UTF-8, from the start of a character. The last block if all
 * of them are.
 */
function invalidBlock(bytes: Uint8Array): { readonly from: number; readonly to: number } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let at = 0;
  try {
    for (; at + blockBytes < bytes.length; at += blockBytes)
      decoder.decode(bytes.subarray(at, at + blockBytes), { stream: true });
  } catch {
    // The block at `at` contains the invalid byte.
  }
  let from = at;
  while (from > 0 && (bytes[from]! & 0xc0) === 0x80) from--;
  return { from, to: Math.min(at + blockBytes, bytes.length) };
}

// ----------------------------------------------------------------------------------------- reading
interface Line {
  readonly text: string;
  readonly eol: Eol | '';
}

export function parseNotebook(file: string): NotebookCell[] {
  const bom = file.startsWith('\ufeff');
  const lines = splitLines(bom ? file.slice(1) : file);
  const layout = new Layout(lines.map(({ text }) => text));
  const cells: NotebookCell[] = [];
  let at = endOfCell(layout, 0);
  let before = 0;
  if (at > 0 || (bom && at === lines.length)) {
    // Blank lines before the first marker are not a cell. They belong to the first cell.
    if (at < lines.length && layout.skipBlank(0) === at) before = at;
    else cells.push(readCell(lines, 0, at, { bare: true, ...(bom ? { bom } : {}) }));
  }
  while (at < lines.length) {
    const { lines: counted } = readMarker(lines[at]!.text);
    const honoured = counted !== undefined && layout.countFits(at + 1, counted);
    const end = honoured ? layout.skipBlank(at + 1 + counted) : endOfCell(layout, at + 1);
    const first = cells.length === 0;
    const extra: CellMetadata = {
      ...(first && before > 0 ? { before } : {}),
      ...(first && bom ? { bom } : {}),
      ...(counted !== undefined && !honoured ? { ignored: true } : {}),
    };
    cells.push(readCell(lines, at, end, extra, honoured ? counted : undefined));
    at = end;
  }
  return cells;
}

function readCell(
  lines: readonly Line[],
  from: number,
  to: number,
  extra: CellMetadata,
  counted?: number,
): NotebookCell {
  const own = lines.slice(from - (extra.before ?? 0), to);
  const marker = extra.bare ? undefined : lines[from]!.text;
  const { kind, id } = marker === undefined ? { kind: 'code' as const, id: undefined } : readMarker(marker);
  const region = lines.slice(marker === undefined ? from : from + 1, to);
  const length = counted ?? region.length - (region.length > 0 && isBlank(region.at(-1)!) ? 1 : 0);
  const raw = region.slice(0, length).map((line) => line.text);
  const decoded = raw.map((line) => decodeLine(kind, line));
  const odd = raw.flatMap((line, i) => {
    const canonical = raw.length === 1 && decoded[i] === '' ? undefined : encodeLine(kind, decoded[i]!);
    return line === canonical ? [] : [[i, line] as const];
  });
  const endings = own.flatMap((line) => (line.eol === '' ? [] : [line.eol]));
  const common = mostFrequent(endings);
  const mixed = endings.some((eol) => eol !== common);
  const isLast = to === lines.length;
  const metadata: CellMetadata = {
    ...(marker === undefined ? {} : { marker }),
    ...extra,
    // A last cell without blank lines gets the default blank line, as a new cell does, if another
    // cell follows.
    ...(isLast && region.length === length ? {} : { blank: region.length - length }),
    ...(common === undefined ? {} : { eol: common }),
    ...(mixed ? { endings } : {}),
    ...(own.at(-1)?.eol === '' ? { final: false as const } : {}),
    ...(counted === undefined && endsInside(raw) ? { open: true as const } : {}),
    ...(odd.length > 0 ? { odd } : {}),
  };
  return { kind, ...(id === undefined ? {} : { id }), text: decoded.join('\n'), metadata };
}

/** Index of the first marker from `from` on that is not inside a literal. */
function endOfCell({ lines }: Layout, from: number): number {
  const literal = new OpenLiteral();
  for (let at = from; at < lines.length; at++) {
    const text = lines[at]!;
    if (!literal.inside && isMarkerLine(text)) return at;
    literal.line(text);
  }
  return lines.length;
}

/**
 * Where the blank lines and the markers of a file are. Each line is looked at once, however many
 * cells ask, so that the work grows linearly with the file.
 */
class Layout {
  readonly lines: readonly string[];
  /** For each line the next line that is not blank, itself included. */
  readonly #filled: Uint32Array;
  readonly #isMarker: (boolean | undefined)[];

  constructor(lines: readonly string[]) {
    this.lines = lines;
    this.#isMarker = new Array<boolean | undefined>(lines.length);
    this.#filled = new Uint32Array(lines.length + 1);
    this.#filled[lines.length] = lines.length;
    for (let at = lines.length - 1; at >= 0; at--) this.#filled[at] = lines[at] === '' ? this.#filled[at + 1]! : at;
  }

  skipBlank(from: number): number {
    return this.#filled[from]!;
  }

  /**
   * `lines=` is used only if a marker or the end of the file follows. So a wrong number in a file
   * edited by hand hides no cells.
   */
  countFits(from: number, count: number): boolean {
    if (from + count > this.lines.length) return false;
    const next = this.skipBlank(from + count);
    return next === this.lines.length || (this.#isMarker[next] ??= isMarkerLine(this.lines[next]!));
  }
}
const isBlank = (line: Line): boolean => line.text === '';

function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  const ending = /\r\n|\n|\r/g;
  let from = 0;
  for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
    lines.push({ text: text.slice(from, match.index), eol: match[0] as Eol });
    from = ending.lastIndex;
  }
  if (from < text.length) lines.push({ text: text.slice(from), eol: '' });
  return lines;
}

function mostFrequent(endings: readonly Eol[]): Eol | undefined {
  let best: Eol | undefined;
  let most = 0;
  for (const eol of ['\n', '\r\n', '\r'] as const) {
    const n = endings.filter((other) => other === eol).length;
    if (n > most) [best, most] = [eol, n];
  }
  return best;
}

// ----------------------------------------------------------------------------------- lines of text
/**
 * `%%` at the start of a prose line would be a marker, so a backslash is written before it.
 * Existing backslashes before it get one more.
 */
function encodeLine(kind: CellKind, text: string): string {
  if (kind !== 'markdown') return text;
  if (text === '') return '//';
  return /^\\*%%(?![^ \t])/.test(text) ? `// \\${text}` : `// ${text}`;
}
function decodeLine(kind: CellKind, line: string): string {
  if (kind !== 'markdown') return line;
  const text = line.replace(/^\/\/ ?/, '');
  return line.startsWith('// ') && /^\\+%%(?![^ \t])/.test(text) ? text.slice(1) : text;
}

/** The lines of a cell's text as they stand in the file. */
export function rawLines(cell: NotebookCell): string[] {
  const odd = new Map(cell.metadata.odd);
  const text = cell.text.replace(/\r\n|\r/g, '\n');
  const original = (i: number, line: string): string | undefined => {
    const raw = odd.get(i);
    return raw !== undefined && decodeLine(cell.kind, raw) === line ? raw : undefined;
  };
  if (text === '') {
    const only = original(0, '');
    return only === undefined ? [] : [only];
  }
  return text.split('\n').map((line, i) => original(i, line) ?? encodeLine(cell.kind, line));
}

function endsInside(raw: readonly string[]): boolean {
  const literal = new OpenLiteral();
  for (const line of raw) literal.line(line);
  return literal.inside;
}
function containsMarker(raw: readonly string[]): boolean {
  const literal = new OpenLiteral();
  for (const line of raw) {
    if (!literal.inside && isMarkerLine(line)) return true;
    literal.line(line);
  }
  return false;
}

// ----------------------------------------------------------------------------------------- writing
interface Chunk {
  readonly cell: NotebookCell;
  readonly raw: readonly string[];
  /** Absent: the cell begins the file without a marker. */
  marker?: string;
  before: number;
  blank: number;
  /** The cell cannot be read without `lines=`. */
  counted: boolean;
}

export function serializeNotebook(cells: readonly NotebookCell[]): string {
  const chunks = cells.map((cell, i) => writeCell(cell, i === 0, i === cells.length - 1));
  dropMisleadingCounts(chunks);
  let eol = cells.find((cell) => cell.metadata.eol !== undefined)?.metadata.eol ?? '\n';
  const parts = cells.some((cell) => cell.metadata.bom) ? ['\ufeff'] : [];
  let written = '' as Eol | '';
  for (const [i, chunk] of chunks.entries()) {
    const { metadata } = chunk.cell;
    eol = metadata.eol ?? eol;
    const lines = linesOf(chunk);
    const endings = metadata.endings;
    const isFinal = i === chunks.length - 1 && metadata.final === false && lines.at(-1) !== '';
    // One ending fewer than lines: the last line had none.
    const fits = endings !== undefined && endings.length === lines.length - (metadata.final === false ? 1 : 0);
    for (const [n, line] of lines.entries()) {
      const wanted = isFinal && n === lines.length - 1 ? '' : ((fits ? endings[n] : undefined) ?? eol);
      // An empty line between '\r' and '\n' would be lost.
      written = line === '' && wanted === '\n' && written === '\r' ? '\r' : wanted;
      parts.push(line, written);
    }
  }
  return parts.join('');
}

const linesOf = (chunk: Chunk): string[] => [
  ...blankLines(chunk.before),
  ...(chunk.marker === undefined ? [] : [chunk.marker]),
  ...chunk.raw,
  ...blankLines(chunk.blank),
];
const blankLines = (n: number): string[] => new Array<string>(n).fill('');

function writeCell(cell: NotebookCell, isFirst: boolean, isLast: boolean): Chunk {
  const { metadata, kind, id } = cell;
  const raw = rawLines(cell);
  const misread = containsMarker(raw);
  let blank = metadata.blank ?? (isLast ? 0 : 1);
  // The last line of the text must not look like the blank line after it.
  const clamped = raw.at(-1) === '' ? 1 : Math.min(blank, 1);
  const inside = endsInside(raw);
  const open = metadata.open === true && inside && (isLast || !endsInside([...raw, ...blankLines(clamped)]));
  if (metadata.bare && isFirst && kind === 'code' && id === undefined && !misread && (!inside || open)) {
    const hasText = raw.some((line) => line !== '');
    const looksLikeBom = raw[0]?.startsWith('\ufeff') === true && !metadata.bom;
    if (!looksLikeBom && (hasText || (isLast && (metadata.bom || raw.length + clamped > 0))))
      return { cell, raw, before: 0, blank: clamped, counted: false };
  }
  const was = metadata.marker === undefined ? undefined : readMarker(metadata.marker).lines;
  const keep = was !== undefined && (metadata.ignored === true || was === raw.length) ? was : undefined;
  const needed = misread || (inside && !open) ? raw.length : undefined;
  const lines = needed ?? keep;
  const counts = lines === raw.length && (needed !== undefined || !metadata.ignored);
  if (!counts) blank = clamped;
  return {
    cell,
    raw,
    marker: writeMarker(metadata.marker, { kind, id, lines }),
    before: isFirst ? (metadata.before ?? 0) : 0,
    blank,
    counted: needed !== undefined,
  };
}

/** A `lines=` that did not fit when it was read may fit by chance at the cell's new place. */
function dropMisleadingCounts(chunks: readonly Chunk[]): void {
  if (!chunks.some(({ cell }) => cell.metadata.ignored)) return;
  // A marker without its count is a marker still, so the layout holds while counts are dropped.
  const layout = new Layout(chunks.flatMap(linesOf));
  let end = 0;
  for (const chunk of chunks) {
    const text = end + chunk.before + 1;
    end += linesOf(chunk).length;
    if (!chunk.cell.metadata.ignored || chunk.marker === undefined || chunk.counted) continue;
    const marker = readMarker(chunk.marker);
    if (marker.lines !== undefined && layout.countFits(text, marker.lines))
      chunk.marker = writeMarker(chunk.marker, { ...marker, lines: undefined });
  }
}
