// Draws a long line as several paths that follow each other. The picture is the same, and costs
// less: a browser without a GPU paints a page in tiles, and computes the whole outline of a path
// for each tile that the path touches. A piece touches one or two.
import type { PaintedElement } from 'vega';
import { setAttribute } from './element.ts';

/** Points of a piece. */
const pointsOfPiece = 48;

export function drawInPieces(path: PaintedElement): void {
  const whole = path.__values__?.d;
  const parent = path.parentNode;
  if (typeof whole !== 'string' || !(parent instanceof SVGElement)) return;
  const [first = '', ...others] = hidesJoints(path) ? piecesOf(whole) : [whole];
  setAttribute(path, 'd', first);
  others.forEach((d, index) => {
    let piece = parent.children[index + 1] as PaintedElement | undefined;
    if (piece === undefined) {
      piece = path.cloneNode() as PaintedElement;
      parent.append(piece);
    }
    piece.__data__ = path.__data__;
    for (const { name, value } of path.attributes) setAttribute(piece, name, name === 'd' ? d : value);
  });
  while (parent.children.length > others.length + 1) parent.lastElementChild!.remove();
}

/**
 * The round ends of two pieces lie on each other and look like the round join of a whole line. Ends
 * of another form would look different, and so would a line that is transparent or dashed.
 */
function hidesJoints(path: SVGElement): boolean {
  const isRound = ['stroke-linejoin', 'stroke-linecap'].every((name) => path.getAttribute(name) === 'round');
  const isOpaque = ['opacity', 'stroke-opacity'].every((name) => Number(path.getAttribute(name) ?? 1) === 1);
  return isRound && isOpaque && !path.hasAttribute('stroke-dasharray');
}

/** Cuts a path of absolute commands. Each piece begins where the one before it ends. */
export function piecesOf(path: string): readonly string[] {
  const commands = path.match(/[A-DF-Za-df-z][^A-DF-Za-df-z]*/g) ?? [];
  // A closed path has no ends.
  if (commands.length <= 2 * pointsOfPiece || !commands.every((command) => /^[MLC]/.test(command))) return [path];
  const pieces: string[] = [];
  let begin = '';
  for (let first = 0; first < commands.length; first += pointsOfPiece) {
    const own = commands.slice(first, first + pointsOfPiece);
    pieces.push(own[0]!.startsWith('M') ? own.join('') : `${begin}${own.join('')}`);
    const end = /[^,MLC]+,[^,]+$/.exec(own.at(-1)!)?.[0];
    if (end === undefined) return [path];
    begin = `M${end}`;
  }
  return pieces;
}
