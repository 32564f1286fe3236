// Tells whether a line of TypeScript begins inside a string, a template or a comment. So the
// notebook file can tell a marker from text that looks like one.
// A property test compares it with TypeScript's own scanner. The compiler itself is too large for
// the protocol folder.
//
// The work grows linearly with the text, because opening a file must not block an editor. So no
// step walks the open constructs, and a line is searched for the end of a regular expression once.

/**
 * Open constructs, innermost last: template text, `${`, a block, an object literal, a paren
 * (`head`: of if, while, for, with), a bracket.
 */
type Opener = 'template' | 'hole' | 'block' | 'object' | 'paren' | 'head' | 'bracket';

/** An open construct, with the places in the stack of the openers that a closer would close. */
interface Open {
  readonly opener: Opener;
  /** Number of templates up to here. */
  readonly templates: number;
  /** The innermost brace. −1: none, or a template lies between. */
  readonly brace: number;
  /** The innermost paren. −1: none, or a brace or a template lies between. */
  readonly paren: number;
  /** The innermost bracket. −1: none, or a brace or a template lies between. */
  readonly bracket: number;
}

const nothingOpen = { templates: 0, brace: -1, paren: -1, bracket: -1 } as const;

const closing: Readonly<Record<Opener, string>> = {
  template: '`',
  hole: '}',
  block: '}',
  object: '}',
  paren: ')',
  head: ')',
  bracket: ']',
};

const wordCharacter = /[\w$\u0080-\uffff\\#@]/;
const conflictMarker = /^(?:<{7} |>{7} |\|{7} |={7})/;
/** An expression begins after these, so that `/` starts a regular expression and `{` an object. */
const beforeExpression = new Set(
  'return typeof instanceof in of new delete void throw case yield await default extends'.split(' '),
);
/** A statement begins after these. */
const beforeStatement = new Set(['else', 'do', 'try', 'finally']);
const headed = new Set(['if', 'while', 'for', 'with']);

export class OpenLiteral {
  #stack: Open[] = [];
  /**
   * The quote of a string that continues on the next line, because this line ends in a backslash.
   */
  #quote = '';
  #comment = false;
  /** The previous token ends an expression, so `/` is a division. */
  #operand = false;
  /** The previous word or punctuator. */
  #before = '';
  #first = true;
  /** Where regular expressions end on this line. Made when the first search has found no end. */
  #ends: RegularExpressionEnds | undefined;

  /** The next line begins inside a string, a template (its holes included) or a block comment. */
  get inside(): boolean {
    return this.#comment || this.#quote !== '' || (this.#stack.at(-1)?.templates ?? 0) > 0;
  }

  /**
   * Text that closes everything that is open, on a line of its own, so that the text after it is
   * parsed separately.
   */
  get closers(): string {
    const literal = this.#comment ? '*/' : this.#quote;
    return (
      literal +
      this.#stack
        .toReversed()
        .map(({ opener }) => closing[opener])
        .join('')
    );
  }

  /** Reads one line, without its line ending. */
  line(text: string): void {
    const start = this.#first && text.startsWith('#!');
    this.#first = false;
    this.#ends = undefined;
    if (start || (!this.inside && conflictMarker.test(text))) return;
    let at = 0;
    if (text === '') this.#quote = '';
    while (at < text.length) at = this.#step(text, at);
  }

  #step(text: string, at: number): number {
    if (this.#comment) {
      const end = text.indexOf('*/', at);
      this.#comment = end < 0;
      return end < 0 ? text.length : end + 2;
    }
    if (this.#quote !== '') return this.#string(text, at, this.#quote);
    if (this.#stack.at(-1)?.opener === 'template') return this.#template(text, at);
    const c = text[at]!;
    if (c === ' ' || c === '\t' || c === '\u2028' || c === '\u2029') return at + 1;
    if (c === '/') return this.#slash(text, at);
    if (c === "'" || c === '"') return this.#string(text, at + 1, c);
    if (c === '`') {
      this.#open('template');
      return at + 1;
    }
    if (wordCharacter.test(c)) return this.#word(text, at);
    return this.#punctuator(text, at, c);
  }

  #string(text: string, from: number, quote: string): number {
    let at = from;
    while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1;
    // A backslash as the last character escapes the line ending. Otherwise the end of the line ends
    // the string, closed or not.
    this.#quote = at > text.length ? quote : '';
    this.#set(quote, true);
    return Math.min(at + 1, text.length);
  }

  #template(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      if (text[at] === '\\') at++;
      else if (text[at] === '`') {
        this.#stack.pop();
        this.#set('`', true);
        return at + 1;
      } else if (text[at] === '$' && text[at + 1] === '{') {
        this.#open('hole');
        this.#set('${', false);
        return at + 2;
      }
    }
    return text.length;
  }

  #slash(text: string, at: number): number {
    if (text[at + 1] === '/') {
      let end = at + 2;
      while (end < text.length && text[end] !== '\u2028' && text[end] !== '\u2029') end++;
      return end;
    }
    if (text[at + 1] === '*') {
      this.#comment = true;
      return at + 2;
    }
    const end = this.#operand ? -1 : this.#endOfRegularExpression(text, at);
    this.#set('/', end >= 0);
    return end < 0 ? at + 1 : end;
  }

  /**
   * Index after the literal that begins at `from`, or −1 if none ends on this line. Then the slash
   * is a division. A search that finds an end is paid by the text that it passes; one that finds
   * none is not, so from then on it is known beforehand whether there is an end.
   */
  #endOfRegularExpression(text: string, from: number): number {
    if (this.#ends && !this.#ends.isAfter(from)) return -1;
    const end = endOfRegularExpression(text, from);
    if (end < 0) this.#ends = new RegularExpressionEnds(text, from);
    return end;
  }

  #word(text: string, from: number): number {
    let at = from;
    while (at < text.length && wordCharacter.test(text[at]!)) at++;
    const word = text.slice(from, at);
    const property = this.#before === '.' || this.#before === '?.';
    this.#set(property ? 'name' : word, property || !(beforeExpression.has(word) || beforeStatement.has(word)));
    return at;
  }

  #punctuator(text: string, at: number, c: string): number {
    const two = text.slice(at, at + 2);
    if (two === '++' || two === '--') return at + 2;
    if (two === '=>' || two === '?.' || two === '&&' || two === '||' || two === '??') {
      this.#set(two, false);
      return at + 2;
    }
    if (c === '!' && this.#operand && text[at + 1] !== '=') return at + 1;
    if (c === '(') this.#open(headed.has(this.#before) ? 'head' : 'paren');
    else if (c === '[') this.#open('bracket');
    else if (c === '{') this.#open(this.#beginsObject() ? 'object' : 'block');
    let operand = c === ']';
    if (c === ')') operand = this.#close('paren') !== 'head';
    else if (c === ']') this.#close('bracket');
    else if (c === '}') operand = this.#close('brace') === 'object';
    this.#set(c, operand);
    return at + 1;
  }

  #beginsObject(): boolean {
    if (this.#operand || beforeStatement.has(this.#before)) return false;
    return beforeExpression.has(this.#before) || !['', ';', '{', '}', ')', '=>', '>', '${'].includes(this.#before);
  }

  #open(opener: Opener): void {
    const at = this.#stack.length;
    const outer = this.#stack.at(-1) ?? nothingOpen;
    const isTemplate = opener === 'template';
    const isBrace = opener === 'hole' || opener === 'block' || opener === 'object';
    const isBarrier = isTemplate || isBrace;
    this.#stack.push({
      opener,
      templates: outer.templates + (isTemplate ? 1 : 0),
      brace: isBrace ? at : isTemplate ? -1 : outer.brace,
      paren: opener === 'paren' || opener === 'head' ? at : isBarrier ? -1 : outer.paren,
      bracket: opener === 'bracket' ? at : isBarrier ? -1 : outer.bracket,
    });
  }

  /**
   * Closes the innermost opener of this kind and everything open inside it. Closes nothing if a
   * template lies between, or, for parens and brackets, a brace.
   */
  #close(kind: 'brace' | 'paren' | 'bracket'): Opener | undefined {
    const at = this.#stack.at(-1)?.[kind] ?? -1;
    if (at < 0) return undefined;
    const { opener } = this.#stack[at]!;
    this.#stack.length = at;
    return opener;
  }

  #set(before: string, operand: boolean): void {
    this.#before = before;
    this.#operand = operand;
  }
}

/** Index after the literal that begins at `from`, or −1 if none ends on this line. */
function endOfRegularExpression(text: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < text.length; at++) {
    const c = text[at];
    if (c === '\\') at++;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '/' && !inClass) return at + 1;
  }
  return -1;
}

/**
 * Says for every place of a line whether a regular expression that begins there ends on the line.
 * Filled from the end of the line to its start, so that each place needs only those behind it.
 */
class RegularExpressionEnds {
  readonly #from: number;
  readonly #outsideClass: Uint8Array;

  constructor(text: string, from: number) {
    const length = text.length - from;
    this.#from = from;
    this.#outsideClass = new Uint8Array(length + 2);
    const insideClass = new Uint8Array(length + 2);
    for (let i = length - 1; i >= 0; i--) {
      const c = text[from + i];
      const next = c === '\\' ? i + 2 : i + 1;
      const outside = c === '[' ? insideClass[next]! : this.#outsideClass[next]!;
      this.#outsideClass[i] = c === '/' ? 1 : outside;
      insideClass[i] = c === ']' ? this.#outsideClass[next]! : insideClass[next]!;
    }
  }

  isAfter(slash: number): boolean {
    return this.#outsideClass[slash + 1 - this.#from] === 1;
  }
}
