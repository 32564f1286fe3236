// Tells whether a line of TypeScript begins inside a string, a template or a comment. So the
// notebook file can tell a marker from text that looks like one.
// A property test compares it with TypeScript's own scanner. The compiler itself is too large for
// the protocol folder.

/**
 * Open constructs, innermost last: template text, `${`, a block, an object literal, a paren
 * (`head`: of if, while, for, with), a bracket.
 */
type Opener = 'template' | 'hole' | 'block' | 'object' | 'paren' | 'head' | 'bracket';

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
  #stack: Opener[] = [];
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

  /** The next line begins inside a string, a template (its holes included) or a block comment. */
  get inside(): boolean {
    return this.#comment || this.#quote !== '' || this.#stack.includes('template');
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
        .map((opener) => closing[opener])
        .join('')
    );
  }

  /** Reads one line, without its line ending. */
  line(text: string): void {
    const start = this.#first && text.startsWith('#!');
    this.#first = false;
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
    if (this.#stack.at(-1) === 'template') return this.#template(text, at);
    const c = text[at]!;
    if (c === ' ' || c === '\t' || c === '\u2028' || c === '\u2029') return at + 1;
    if (c === '/') return this.#slash(text, at);
    if (c === "'" || c === '"') return this.#string(text, at + 1, c);
    if (c === '`') {
      this.#stack.push('template');
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
        this.#stack.push('hole');
        this.#set('${', false);
        return at + 2;
      }
    }
    return text.length;
  }

  #slash(text: string, at: number): number {
    if (text[at + 1] === '/') {
      const end = text.slice(at).search(/[\u2028\u2029]/);
      return end < 0 ? text.length : at + end;
    }
    if (text[at + 1] === '*') {
      this.#comment = true;
      return at + 2;
    }
    const end = this.#operand ? -1 : endOfRegularExpression(text, at);
    this.#set('/', end >= 0);
    return end < 0 ? at + 1 : end;
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
    if (c === '(') this.#stack.push(headed.has(this.#before) ? 'head' : 'paren');
    else if (c === '[') this.#stack.push('bracket');
    else if (c === '{') this.#stack.push(this.#beginsObject() ? 'object' : 'block');
    let operand = c === ']';
    if (c === ')') operand = this.#close(['paren', 'head']) !== 'head';
    else if (c === ']') this.#close(['bracket']);
    else if (c === '}') operand = this.#close(['block', 'object', 'hole']) === 'object';
    this.#set(c, operand);
    return at + 1;
  }

  #beginsObject(): boolean {
    if (this.#operand || beforeStatement.has(this.#before)) return false;
    return beforeExpression.has(this.#before) || !['', ';', '{', '}', ')', '=>', '>', '${'].includes(this.#before);
  }

  /**
   * Closes the innermost opener of these kinds and everything open inside it. Closes nothing if a
   * brace or a template lies between.
   */
  #close(kinds: readonly Opener[]): Opener | undefined {
    const barrier = kinds.includes('block') ? ['template'] : ['template', 'hole', 'block', 'object'];
    for (let i = this.#stack.length - 1; i >= 0; i--) {
      const opener = this.#stack[i]!;
      if (kinds.includes(opener)) {
        this.#stack.length = i;
        return opener;
      }
      if (barrier.includes(opener)) return undefined;
    }
    return undefined;
  }

  #set(before: string, operand: boolean): void {
    this.#before = before;
    this.#operand = operand;
  }
}

/**
 * Index after the literal that begins at `from`, or −1 if none ends on this line. Then the slash is
 * a division.
 */
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
